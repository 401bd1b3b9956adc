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
import { answers } from '../api/liveness.ts';
import { ServiceControl } from '../api/service-control.ts';
import { defaultHeaders } from '../shared/default-headers.ts';
import { openGoAhead } from './go-ahead.ts';
import { toOutcome } from './outcome.ts';

/** The side of the protocol that running a file of tests needs. */
export interface Host {
  emit: (event: GraderEvent) => Promise<void>;
  control: (action: ControlAction) => Promise<ControlReply>;
  /** Where vitest's own words go. */
  log: NodeJS.WritableStream;
}

type PlannedTest = CodePlan['checks'][number];
type Outcome = ReturnType<typeof toOutcome>;

const MAX_MESSAGE_CHARS = 4000;

const TEST_TIMEOUT_MS = 30_000;
const CACHE_DIR = '/tmp/vite';

/**
 * Runs one file of tests with vitest and emits the checks that the plan makes of them. A test that fails, or in which the
 * service ends, is the service's failure. A listed test that the file does not have, a file that cannot be loaded and a
 * test that the suite does not list are `errored`: the challenge's. Files of its own go to `scratch`, from where vitest
 * must be found. Rejects when vitest itself breaks.
 */
export async function runCode(
  input: GraderInput,
  plan: CodePlan,
  folders: { root: string; scratch: string },
  host: Host,
): Promise<void> {
  const { root, scratch } = folders;
  const reporter = new CheckReporter(plan, host);
  await host.emit({ event: 'progress', done: 0, total: plan.checks.length, label: plan.file });
  const watch = watchService(input, plan, host);
  const goAhead = await openGoAhead(scratch, watch.afterTest);
  const skipped: TestCase[] = [];
  let reporting = Promise.resolve();
  try {
    const vitest = await start(input, plan, { root, setupFile: goAhead.setupFile, log: host.log }, (test) => {
      if (test.result().state === 'skipped') {
        skipped.push(test);
        return;
      }
      reporting = reporting.then(async () => reporter.settle(test, await watch.endDuring(test)));
      // Whoever waits for the next one waits for this one, and sees its failure.
      reporting.catch(() => undefined);
    });
    await reporting;
    // Whether they left themselves out or a hook failed before them is known only now.
    for (const test of skipped) {
      await reporter.settle(test, watch.ends.get(test.id));
    }
    await reporter.settleMissing(whyMissing(vitest.state.getTestModules()));
    await vitest.close();
  } finally {
    await goAhead.close();
  }
}

/** Sees after each test to it that the service runs, and knows during which tests it ended. */
function watchService({ target, seed }: GraderInput, { readyPath }: CodePlan, host: Host) {
  const headers = defaultHeaders(seed, 0);
  const service = new ServiceControl(host.control, () => answers(target, readyPath, headers));
  const ends = new Map<string, string | undefined>();
  async function afterTest(testId: string): Promise<void> {
    const note = (await service.isUp()) ? undefined : (await service.recover()).note;
    ends.set(testId, ends.get(testId) ?? note);
  }
  return {
    afterTest,
    ends: ends as ReadonlyMap<string, string | undefined>,
    /** A test whose worker ended did not ask. */
    endDuring: async (test: TestCase): Promise<string | undefined> => {
      if (!ends.has(test.id)) {
        await afterTest(test.id);
      }
      return ends.get(test.id);
    },
  };
}

/** Makes checks of tests. */
class CheckReporter {
  readonly #plan: CodePlan;
  readonly #host: Host;
  readonly #waiting: Map<string, PlannedTest>;

  constructor(plan: CodePlan, host: Host) {
    this.#plan = plan;
    this.#host = host;
    this.#waiting = new Map(plan.checks.map((check) => [check.id, check]));
  }

  /** `end` is what became of a service that ended during the test. */
  async settle(test: TestCase, end: string | undefined): Promise<void> {
    const plan = this.#plan;
    const planned = plan.checks.find((check) => isNamed(test, check.name));
    if (!planned || !this.#waiting.delete(planned.id)) {
      if (!plan.listed.some((name) => isNamed(test, name))) {
        await this.#host.emit({ event: 'check', check: unlisted(test, plan) });
      }
      return;
    }
    const outcome = withEnd(toOutcome(test, planned.points), end);
    const message = outcome.message.slice(0, MAX_MESSAGE_CHARS);
    await this.#host.emit({ event: 'check', check: { ...describe(planned, plan), ...outcome, message } });
    const done = plan.checks.length - this.#waiting.size;
    await this.#host.emit({ event: 'progress', done, total: plan.checks.length, label: planned.name });
  }

  async settleMissing(reason: string): Promise<void> {
    for (const planned of this.#waiting.values()) {
      const check: Check = {
        ...describe(planned, this.#plan),
        status: 'errored',
        points: 0,
        message: `the check could not be carried out: ${reason}`.slice(0, MAX_MESSAGE_CHARS),
        durationMs: 0,
      };
      await this.#host.emit({ event: 'check', check });
    }
  }
}

/** A test in which the service ended fails, even when its last answer still was as expected. */
function withEnd(outcome: Outcome, end: string | undefined): Outcome {
  if (end === undefined) {
    return outcome;
  }
  const sentence = `During this check the service ended: ${end}`;
  const message = outcome.status === 'failed' ? `${outcome.message}. ${sentence}` : sentence;
  return { ...outcome, status: 'failed', points: 0, message };
}

async function start(
  { target, seed }: GraderInput,
  plan: CodePlan,
  { root, setupFile, log }: { root: string; setupFile: string; log: NodeJS.WritableStream },
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
      setupFiles: [setupFile],
      reporters: [{ onTestCaseResult: onTest }],
      pool: 'forks',
      maxWorkers: 1,
      testTimeout: TEST_TIMEOUT_MS,
      env: { ASSAY_BASE_URL: `http://${address}:${target.port}`, ASSAY_SEED: seed },
      passWithNoTests: true,
    },
    { cacheDir: CACHE_DIR, logLevel: 'error' },
    { stdout: log as NodeJS.WriteStream, stderr: log as NodeJS.WriteStream },
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
