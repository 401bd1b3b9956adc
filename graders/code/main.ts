import { CodePlanSchema } from '../../src/domain/code-suite.ts';
import { openProtocol } from '../shared/protocol-io.ts';
import { runCode } from './run-code.ts';

try {
  const protocol = await openProtocol(process.stdin, process.stdout);
  const plan = CodePlanSchema.parse(protocol.input.plan);
  await runCode(
    protocol.input,
    plan,
    { root: '/input', scratch: '/tmp' },
    {
      emit: (event) => protocol.emit(event),
      control: (action) => protocol.control(action),
      log: process.stderr,
    },
  );
  await protocol.done();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
  process.stdin.destroy();
}
