import { startVitest } from 'vitest/node';
import type { TestCase, TestModule, Vitest } from 'vitest/node';
import type { CodePlan } from '../../src/domain/code-suite.ts';
import type {
  Check,
  ControlAction,
  ControlReply,
  GraderEvent,
  GraderInput,
} from '../../src/domain/grader-protocol.ts';
import { toOutcome } from './outcome.ts';

/** The side of the protocol that running a file of tests needs. */
export interface Host {
  emit: (event: GraderEvent) => Promise<void>;
  control: (action: ControlAction) => Promise<ControlReply>;
  /** Where vitest's own words go. */
  log: NodeJS.WritableStream;
}

type PlannedTest = CodePlan['checks'][number];

const TEST_TIMEOUT_MS = 30_000;
const CACHE_DIR = '/tmp/vite';

/**
 * Runs one file of tests with vitest and emits the checks that the plan makes of them. A test that fails is the
 * service's failure. A listed test that the file does not have, a file that cannot be loaded and a test that the suite
 * does not list are `errored`: the challenge's. Rejects when vitest itself breaks.
 */
export async function runCode(input: GraderInput, plan: CodePlan, root: string, host: Host): Promise<void> {
  const waiting = new Map(plan.checks.map((check) => [check.id, check]));
  let reporting = host.emit({ event: 'progress', done: 0, total: plan.checks.length, label: plan.file });

  async function settle(test: TestCase): Promise<void> {
    const planned = plan.checks.find((check) => isNamed(test, check.name));
    if (!planned || !waiting.delete(planned.id)) {
      if (!plan.listed.some((name) => isNamed(test, name))) {
        await host.emit({ event: 'check', check: unlisted(test, plan) });
      }
      return;
    }
    const outcome = toOutcome(test, planned.points);
    const end = outcome.status === 'failed' ? (await host.control('start')).note : undefined;
    const message =
      end === undefined ? outcome.message : `${outcome.message}. During this check the service ended: ${end}`;
    await host.emit({
      event: 'check',
      check: { ...describe(planned, plan), ...outcome, message: message.slice(0, 4000) },
    });
    const done = plan.checks.length - waiting.size;
    await host.emit({ event: 'progress', done, total: plan.checks.length, label: planned.name });
  }

  const vitest = await start(input, plan, root, host, (test) => {
    reporting = reporting.then(() => settle(test));
    // Whoever waits for the next one waits for this one, and sees its failure.
    reporting.catch(() => undefined);
  });
  await reporting;
  const reason = whyMissing(vitest.state.getTestModules());
  for (const planned of waiting.values()) {
    const check: Check = {
      ...describe(planned, plan),
      status: 'errored',
      points: 0,
      message: `the check could not be carried out: ${reason}`.slice(0, 4000),
      durationMs: 0,
    };
    await host.emit({ event: 'check', check });
  }
  await vitest.close();
}

async function start(
  { target, seed }: GraderInput,
  plan: CodePlan,
  root: string,
  host: Host,
  onTest: (test: TestCase) => void,
): Promise<Vitest> {
  const address = target.address.includes(':') ? `[${target.address}]` : target.address;
  return await startVitest(
    'test',
    [],
    {
      root,
      config: false,
      watch: false,
      include: [plan.file],
      reporters: [{ onTestCaseResult: onTest }],
      pool: 'forks',
      maxWorkers: 1,
      testTimeout: TEST_TIMEOUT_MS,
      env: { ASSAY_BASE_URL: `http://${address}:${target.port}`, ASSAY_SEED: seed },
      passWithNoTests: true,
    },
    { cacheDir: CACHE_DIR, logLevel: 'error' },
    { stdout: host.log as NodeJS.WriteStream, stderr: host.log as NodeJS.WriteStream },
  );
}

function isNamed(test: TestCase, name: string): boolean {
  return test.fullName === name || test.name === name;
}

function whyMissing(modules: readonly TestModule[]): string {
  const [error] = modules.flatMap((module) => module.errors());
  return error
    ? `the file of tests could not be loaded: ${error.message}`
    : 'the file has no test of this name';
}

function describe(
  { id, name, points, skill, visibility, tags }: PlannedTest,
  { suite }: CodePlan,
): Pick<Check, 'id' | 'name' | 'suite' | 'maxPoints' | 'skill' | 'visibility' | 'tags'> {
  return { id, name, suite, maxPoints: points, skill, visibility, tags };
}

/** Worth nothing, and in sight of the author. */
function unlisted(test: TestCase, plan: CodePlan): Check {
  const name = test.fullName.slice(0, 250);
  return {
    id: `${plan.file}/${name}`.slice(0, 200),
    name,
    suite: plan.suite,
    status: 'errored',
    points: 0,
    maxPoints: 0,
    skill: 'engineering',
    visibility: 'hidden',
    message: 'the check could not be carried out: the suite does not list this test under its tests',
    durationMs: 0,
  };
}
