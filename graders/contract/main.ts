import { ContractPlanSchema } from '../../src/domain/contract-plan.ts';
import { openProtocol } from '../shared/protocol-io.ts';
import { runContract } from './run-contract.ts';

try {
  const protocol = await openProtocol(process.stdin, process.stdout);
  const plan = ContractPlanSchema.parse(protocol.input.plan);
  await runContract(protocol.input, plan, {
    emit: (event) => protocol.emit(event),
    control: (action, options) => protocol.control(action, options),
  });
  await protocol.done();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
  process.stdin.destroy();
}
