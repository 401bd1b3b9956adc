import { ApiPlanSchema } from '../../src/domain/api-suite.ts';
import { openProtocol } from '../shared/protocol-io.ts';
import { runPlan } from './run-plan.ts';

try {
  const protocol = await openProtocol(process.stdin, process.stdout);
  const plan = ApiPlanSchema.parse(protocol.input.plan);
  await runPlan(protocol.input, plan, {
    emit: (event) => protocol.emit(event),
    control: (action, options) => protocol.control(action, options),
  });
  await protocol.done();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
  process.stdin.destroy();
}
