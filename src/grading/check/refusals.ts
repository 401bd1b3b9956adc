import type { CheckReport } from '../../domain/check-report.ts';

/** Why a spec is not blessed, one plain sentence each. Pure. */
export function refusalsOf(
  findings: Pick<CheckReport, 'references' | 'broken' | 'sound' | 'flaky'>,
): string[] {
  const { references, broken, sound, flaky } = findings;
  const refusals: string[] = [];
  if (references.length === 0) {
    refusals.push(
      'There is no reference: nothing shows that the checks can be passed. Add a submissions/reference-… folder.',
    );
  }
  for (const { name, ok, runs, inFull, problems } of references) {
    if (!ok) {
      const why = problems.length > 0 ? `: ${problems.join('; ')}` : '';
      refusals.push(sentence(`${name} scored in full in ${inFull} of ${runs} runs${why}`));
    }
  }
  for (const { check, reference, failed, runs, message } of flaky) {
    refusals.push(
      `The check "${check}" is flaky: ${reference} failed it in ${failed} of ${runs} runs (${message}).`,
    );
  }
  for (const { name, ok, measured, differences } of [...broken, ...sound]) {
    if (!ok && measured) {
      refusals.push(sentence(`${name} did not come out as its expect.yaml says: ${differences.join('; ')}`));
    }
  }
  return refusals;
}

function sentence(text: string): string {
  return `${text.replace(/\.$/, '')}.`;
}
