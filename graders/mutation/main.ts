import { MutationPlanSchema } from '../../src/domain/mutation.ts';
import { openProtocol } from '../shared/protocol-io.ts';
import { runMutants } from './run-mutants.ts';

try {
  const protocol = await openProtocol(process.stdin, process.stdout);
  const plan = MutationPlanSchema.parse(protocol.input.plan);
  await runMutants(protocol.input, plan, {
    emit: (event) => protocol.emit(event),
    control: (action, options) => protocol.control(action, options),
  });
  await protocol.done();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
  process.stdin.destroy();
}
