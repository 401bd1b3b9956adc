import { innerSteps } from '../../src/domain/api-suite-references.ts';
import type { Step } from '../../src/domain/api-suite-step.ts';

/** Whether one of the steps, or of those inside them, is as asked. */
export function anyStep(steps: readonly Step[], is: (step: Step) => boolean): boolean {
  return steps.some((step) => is(step) || anyStep(innerSteps(step), is));
}

/** Whether it asks for the service's process to be started, ended, paused. */
export function actsOnService(step: Step): boolean {
  return 'service' in step;
}
