import { openProtocol } from '../shared/protocol-io.ts';
import { rehearse } from './rehearsal.ts';
import { runLoad } from './run-load.ts';

try {
  const signal = new AbortController().signal;
  // While the service starts. Without a port of its own, for one, the test only starts colder.
  const rehearsing = rehearse(signal).catch((error: unknown) => console.error('no rehearsal:', error));
  const protocol = await openProtocol(process.stdin, process.stdout);
  const host = {
    emit: protocol.emit.bind(protocol),
    ask: protocol.control.bind(protocol),
  };
  await rehearsing;
  await protocol.done(await runLoad(protocol.input, host, signal));
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
  process.stdin.destroy();
}
