import type { ApiSuite } from '../../../domain/api-suite.ts';
import type { Step } from '../../../domain/api-suite-step.ts';
import type { SeenCheck } from '../../../domain/mutation.ts';
import { templateOf } from '../../../domain/path-template.ts';
import { answerMutants } from './answer-mutants.ts';
import { behaviourMutants } from './behaviour-mutants.ts';
import type { Mutant } from './mutant.ts';
import type { OpenApiFacts } from './openapi-facts.ts';
import { operationsOf } from './operations.ts';

/** Everything that a service could do wrong in the traffic that was seen. Pure: equal traffic, equal mutants. */
export function deriveMutants(
  checks: readonly SeenCheck[],
  templates: readonly string[],
  facts: OpenApiFacts | undefined,
  suites: readonly ApiSuite[],
): Mutant[] {
  const operations = operationsOf(checks, templates);
  const bounds = timeBounds(suites, templates);
  const groups = [...new Set(operations.map(({ method, path }) => `${method} ${path}`))];
  return [
    ...operations.flatMap((operation) => answerMutants(operation, facts)),
    ...groups.flatMap((group) => {
      const members = operations.filter(({ method, path }) => `${method} ${path}` === group);
      return behaviourMutants(members, facts, bounds.get(group));
    }),
  ];
}

/** The longest `within` of each method and path; "${code}" in a path stands for any segment. */
function timeBounds(suites: readonly ApiSuite[], templates: readonly string[]): Map<string, number> {
  const bounds = new Map<string, number>();
  function visit(step: Step): void {
    if ('steps' in step) {
      step.steps.forEach(visit);
    } else if ('request' in step && step.expect?.within !== undefined) {
      const [method = '', path = ''] = step.request.split(' ', 2);
      const key = `${method} ${templateOf(path.replaceAll(/\$\{[^}]*\}/g, 'x'), templates)}`;
      bounds.set(key, Math.max(step.expect.within, bounds.get(key) ?? 0));
    }
  }
  for (const suite of suites) {
    [...suite.setup, ...suite.tests.flatMap((test) => test.steps)].forEach(visit);
  }
  return bounds;
}
