import { openProtocol } from '../shared/protocol-io.ts';
import { runLocust } from './run-locust.ts';

try {
  const protocol = await openProtocol(process.stdin, process.stdout);
  const host = {
    emit: protocol.emit.bind(protocol),
    ask: protocol.control.bind(protocol),
  };
  const { inconclusive, specError } = await runLocust(protocol.input, host);
  await protocol.done(inconclusive, specError);
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
  process.stdin.destroy();
}
