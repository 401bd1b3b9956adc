import { openProtocol } from '../shared/protocol-io.ts';
import { rehearse } from './rehearsal.ts';
import { runLoad } from './run-load.ts';

try {
  const signal = new AbortController().signal;
  // The input comes once the service is up: before that the rehearsal might take the port that the service wants.
  const protocol = await openProtocol(process.stdin, process.stdout);
  const host = {
    emit: protocol.emit.bind(protocol),
    ask: protocol.control.bind(protocol),
  };
  // Without a port of its own, for one, the test only starts colder.
  await rehearse(signal).catch((error: unknown) => console.error('no rehearsal:', error));
  await protocol.done(await runLoad(protocol.input, host, signal));
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
  process.stdin.destroy();
}
