import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GraderEvent, GraderInput, SpecError } from '../../src/domain/grader-protocol.ts';
import { ResolvedLocustPlanSchema } from '../../src/domain/locust-plan.ts';
import type { LocustPlan } from '../../src/domain/locust-plan.ts';
import { ServiceWatch } from '../load/service-watch.ts';
import type { AskHost } from '../load/service-watch.ts';
import type { LocustEnd, LocustEvent, LocustSample } from './locust-events.ts';
import { emitLocustFiles } from './locust-files.ts';
import { runLocustProcess } from './locust-process.ts';
import type { LocustExit, LocustSettings } from './locust-process.ts';
import { judgeLocust } from './locust-result.ts';
import { Tally } from './tally.ts';

/** The grader's side of the protocol, as far as Locust needs it. */
export interface LocustHost {
  emit(event: GraderEvent): Promise<void>;
  ask: AskHost;
}

/** How the grading ended. */
export interface LocustOutcome {
  inconclusive?: string;
  specError?: SpecError;
}

const INPUT_FOLDER = '/input';

/**
 * Runs the author's locustfile against the service and hands over checks, the result document and Locust's own files.
 * A locustfile that does not run is `specError`. Rejects when Locust breaks, never for what the service does.
 */
export async function runLocust(
  input: GraderInput,
  host: LocustHost,
  inputFolder = INPUT_FOLDER,
): Promise<LocustOutcome> {
  const plan = ResolvedLocustPlanSchema.parse(input.plan);
  const folder = await mkdtemp(join(tmpdir(), 'locust-'));
  const test = new LocustTest(plan, host);
  const processes = Math.min(plan.processes ?? availableParallelism(), plan.users ?? Infinity);
  try {
    const all = Array.from({ length: processes }, (_, index) => ({
      ...settingsOf(plan, input, inputFolder),
      index,
      processes,
      prefix: join(folder, `locust${index}`),
    }));
    const exits = await test.run(all);
    const specError = test.specError(exits);
    if (specError) {
      return { specError };
    }
    return await report(test, all, input, host);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function report(
  test: LocustTest,
  all: readonly LocustSettings[],
  input: GraderInput,
  host: LocustHost,
): Promise<LocustOutcome> {
  const tooLarge: string[] = [];
  for (const { prefix, index, processes } of all) {
    const name = processes === 1 ? 'locust' : `locust-${index + 1}`;
    tooLarge.push(...(await emitLocustFiles((event) => host.emit(event), prefix, name)));
  }
  const { tally, ends, samples, watch } = test;
  const { checks, result, inconclusive } = judgeLocust({
    plan: test.plan,
    seed: input.seed,
    tally,
    ends,
    samples,
    tooLarge,
    notes: watch.notes,
    usage: watch.series(),
  });
  for (const check of checks) {
    await host.emit({ event: 'check', check });
  }
  await host.emit({ event: 'result', result });
  return inconclusive === undefined ? {} : { inconclusive };
}

function settingsOf(plan: LocustPlan, { target }: GraderInput, inputFolder: string) {
  const address = target.address.includes(':') ? `[${target.address}]` : target.address;
  const { users = null, spawnPerSecond = null, runTimeMs, warmUpMs, tags, excludeTags } = plan;
  return {
    host: `http://${address}:${target.port}`,
    locustfile: join(inputFolder, plan.locustfile),
    users,
    spawnPerSecond,
    runTimeMs,
    warmUpMs,
    tags,
    excludeTags,
  };
}

/** One test: all its processes and what they told. */
class LocustTest {
  readonly plan: LocustPlan;
  readonly tally = new Tally();
  readonly ends: LocustEnd[] = [];
  readonly samples: LocustSample[] = [];
  /** Replaced when the test begins: its curves count from then. */
  watch: ServiceWatch;
  readonly #host: LocustHost;
  #started = false;

  constructor(plan: LocustPlan, host: LocustHost) {
    this.plan = plan;
    this.#host = host;
    this.watch = new ServiceWatch(host.ask, performance.now());
  }

  async run(all: readonly LocustSettings[]): Promise<LocustExit[]> {
    const controller = new AbortController();
    try {
      return await Promise.all(
        all.map((settings) =>
          runLocustProcess(settings, (event) => this.#take(event, settings.index), controller.signal),
        ),
      );
    } finally {
      controller.abort();
    }
  }

  #take(event: LocustEvent, index: number): void {
    switch (event.event) {
      case 'started':
        if (!this.#started) {
          this.#started = true;
          this.watch = new ServiceWatch(this.#host.ask, performance.now());
        }
        break;
      case 'users':
        this.tally.addUsers(index, event.atS, event.users);
        if (index === 0) {
          this.watch.readStats();
          void this.#host.emit(this.#progress(event.atS));
        }
        break;
      case 'requests':
        this.tally.addRequests(event);
        if (event.broken > 0) {
          this.watch.onBrokenConnection();
        }
        break;
      case 'sample':
        this.samples.push(event);
        break;
      case 'ended':
        this.ends.push(event);
        break;
    }
  }

  #progress(atS: number): GraderEvent {
    const total = Math.round(this.plan.runTimeMs / 1000);
    const done = Math.min(total, Math.round(atS));
    const label = `Locust ${done}/${total} s, ${this.tally.requests} requests`;
    return { event: 'progress', done, total, label };
  }

  /** Why the locustfile is to blame, when it is. Throws when a Locust broke in the middle of its test. */
  specError(exits: readonly LocustExit[]): SpecError | undefined {
    const { locustfile } = this.plan;
    const log = exits.find((exit) => exit.code !== 0)?.log ?? exits[0]?.log ?? '';
    if (!this.#started) {
      return { message: `Locust could not start with ${locustfile}: ${lastLine(log)}`, log };
    }
    if (this.ends.length < exits.length) {
      throw new Error(`Locust broke off its test:\n${log}`);
    }
    const raised = this.ends.flatMap((end) => end.exceptions);
    if (this.tally.requests === 0) {
      const why = raised[0] ? `its tasks raised ${raised[0].message}` : 'no task made one';
      return {
        message: `Not one request came of ${locustfile}: ${why}.`,
        log: raised[0]?.traceback ?? log,
      };
    }
    return undefined;
  }
}

function lastLine(log: string): string {
  return log.trim().split('\n').at(-1) ?? '';
}
