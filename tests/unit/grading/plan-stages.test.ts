import { describe, expect, it } from 'vitest';
import { loadChallenge } from '../../../src/challenges/load-challenge.ts';
import { planStages } from '../../../src/grading/plan-stages.ts';
import { makeBundle, SOUND_BUNDLE } from '../challenges/bundle-fixture.ts';

const STAGES = 'stages:\n  resilience: { weight: 10, suites: [hidden/resilience/*.yaml] }\n';
const CHURN = 'suite: Churn\ntests: [{ name: holds, steps: [{ request: GET / }] }]\n';

/** The bundle of the fixture with a resilience stage, written first on purpose. */
async function withResilience(suite = CHURN) {
  const challenge = (SOUND_BUNDLE['challenge.yaml'] ?? '').replace('stages:\n', STAGES);
  return await loadChallenge(
    makeBundle({ 'challenge.yaml': challenge, 'hidden/resilience/churn.yaml': suite }),
  );
}

describe('the stages of a run', () => {
  it('come in the order of the product, not of the file', async () => {
    const plans = planStages(await withResilience(), { visibleOnly: false });
    expect(plans.map(({ name, weight }) => [name, weight])).toEqual([
      ['api', 70],
      ['resilience', 10],
      ['load', 30],
    ]);
    expect(plans[1]?.checks.map((check) => check.id)).toEqual(['churn/holds']);
    expect(plans[1]?.tasks.map((task) => task.grader)).toEqual(['api']);
  });

  it('are those that were selected, still in order', async () => {
    const selection = { visibleOnly: false, stages: ['load', 'resilience'] };
    const plans = planStages(await withResilience(), selection);
    expect(plans.map((plan) => plan.name)).toEqual(['resilience', 'load']);
  });

  it('are the visible suites alone in a dry run', async () => {
    const hidden = planStages(await withResilience(), { visibleOnly: true });
    expect(hidden.map((plan) => plan.name)).toEqual(['api']);
    const shown = await withResilience(`visibility: visible\n${CHURN}`);
    expect(planStages(shown, { visibleOnly: true }).map((plan) => plan.name)).toEqual(['api', 'resilience']);
  });

  it('are refused by name when the challenge does not have one', async () => {
    const challenge = await withResilience();
    expect(() => planStages(challenge, { visibleOnly: false, stages: ['api', 'laod'] })).toThrow(
      'There is no stage to run: laod.',
    );
    expect(() => planStages(challenge, { visibleOnly: true, stages: ['load'] })).toThrow('load');
  });
});
