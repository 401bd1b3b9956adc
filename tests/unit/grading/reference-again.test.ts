import { describe, expect, it } from 'vitest';
import { loadChallenge } from '../../../src/challenges/load-challenge.ts';
import type { Challenge } from '../../../src/domain/challenge.ts';
import { InfraError } from '../../../src/domain/errors.ts';
import type { ControlReply, GraderInput } from '../../../src/domain/grader-protocol.ts';
import { LoadPlanSchema, resolveLoadPlan } from '../../../src/domain/load-plan.ts';
import type {
  FakeGraderIo,
  FakeScript,
  FakeService,
  FakeSidecarIo,
} from '../../../src/sandbox/fake/fake-script.ts';
import type { GraderSpec } from '../../../src/sandbox/sandbox-engine.ts';
import { gradeOnFake } from '../../helpers/fake-grading.ts';
import { makeCheck, makeLatency, makeLoadResult, makeLoadTask } from '../../helpers/report-fixtures.ts';

/** The check of "p95 < 9 x reference". */
const P95 = 'load/p95-9-x-reference';

const trivial = await loadChallenge('tests/corpus/trivial/challenge');

const KNEE = { findKnee: { objective: 'p95 < 1s', from: '50/s', to: '500/s' } };

function challengeWith(that: string, uses: Challenge['file']['service']['uses'] = []): Challenge {
  const users = [{ name: 'U', tasks: [{ name: 'get', request: 'GET /' }] }];
  const shape = [{ users: 1, for: '1s' }, ...(that.startsWith('knee') ? [KNEE] : [])];
  const load = resolveLoadPlan('l.yaml', LoadPlanSchema.parse({ users, shape, thresholds: [{ that }] }));
  const service = { ...trivial.file.service, uses };
  const stages = { load: { weight: 1, plan: 'l.yaml' } };
  return { ...trivial, suites: [], load, file: { ...trivial.file, service, stages } };
}

interface Told {
  /** What ran, in order. */
  story: string[];
  replies: ControlReply[];
}

/** Graders of the reference answer 100/s, then 200/s, …; the one of the test does what `test` says. */
function scriptOf(
  told: Told,
  test: (ask: (action: string) => Promise<ControlReply>, io: FakeGraderIo) => Promise<void>,
): FakeScript {
  let measured = 0;
  async function measure(io: FakeGraderIo): Promise<void> {
    measured += 1;
    const total = makeLoadTask('total', { failures: 0, latency: makeLatency(1, 2, 3) });
    const phases = [0, 100 * measured].map((rate) => ({ label: 'x', fromS: 0, toS: 1, rate }));
    await io.emit({ event: 'result', result: makeLoadResult(1, { total, phases }) });
  }
  return {
    candidate: (service) => {
      told.story.push('service starts');
      service.signal.addEventListener('abort', () => told.story.push('service ends'));
      service.log('log of the service');
      service.listen(8080);
    },
    sidecar: (io, spec) => io.log(spec.ready.log),
    onCall: (call) => {
      const held = /^(pause|resume)/.test(call);
      told.story.push(...(held ? [call] : []));
    },
    grader: async (io, spec) => {
      if (isReference(spec)) {
        return await beReference(io, told);
      }
      const { plan } = JSON.parse((await io.readLine()) ?? '') as GraderInput;
      if ((plan as { file: string }).file === 'reference') {
        await measure(io);
      } else {
        await test(async (action) => {
          await io.emit({ event: 'control', id: 'c', action });
          const reply = JSON.parse((await io.readLine()) ?? 'null') as ControlReply;
          told.replies.push(reply);
          return reply;
        }, io);
      }
      await io.emit({ event: 'done' });
      return 0;
    },
  };
}

function isReference({ command }: GraderSpec): boolean {
  return command.includes('/reference/server.mjs');
}

/** Its warm-up is left out of the story. `said`: its word after a turn; null when it ends without one. */
async function beReference(
  io: FakeGraderIo,
  told: Told,
  said: string | object | null = { requestsPerSecond: 9000, cpuMs: 12 },
): Promise<number> {
  for (let line = await io.readLine(); line !== undefined; line = await io.readLine()) {
    const { listen, turnMs = 0 } = JSON.parse(line) as { listen?: number | null; turnMs?: number };
    if (turnMs > 100 && said === null) {
      return 1;
    }
    if (listen !== undefined) {
      told.story.push(listen === null ? 'reference rests' : 'reference listens');
      await io.emit({ ok: true });
    } else if (turnMs > 100) {
      told.story.push('turn');
      await io.emit(said ?? {});
    } else {
      await io.emit({ requestsPerSecond: 0, cpuMs: 1 });
    }
  }
  return 0;
}

describe('a grader that asks for the reference again', () => {
  it('has it measured in the place of the service, whose end is no crash and whose log stays', async () => {
    const told: Told = { story: [], replies: [] };
    const script = scriptOf(told, async (ask) => {
      await ask('reference');
      await ask('start');
      await ask('reference');
    });
    const { report } = await gradeOnFake(challengeWith('rps > 0.1 x reference', ['postgres']), script);

    expect(told.story).toEqual([
      'reference listens',
      'reference rests',
      'service starts',
      'service ends',
      'reference listens',
      'reference rests',
    ]);
    const [first, start, second] = told.replies;
    expect(first).toMatchObject({ ok: true, reference: { requestsPerSecond: 200 } });
    expect(start).toMatchObject({ ok: false, error: 'the test is over, and the service was removed' });
    expect(second).toEqual(first);
    // Neither the service nor its database ended by itself.
    expect(report.stages[0]).toMatchObject({ status: 'completed', crashes: 0 });
    expect(report.outcome.failure).toBeUndefined();
    expect(report.service?.log).toContain('log of the service');
  });

  it('counts a crash of before, and only that', async () => {
    const told: Told = { story: [], replies: [] };
    let service: FakeService | undefined;
    const script = scriptOf(told, async (ask) => {
      service?.exit(1);
      await ask('start');
      await ask('reference');
    });
    const { candidate } = script;
    script.candidate = (life, spec) => {
      candidate?.(life, spec);
      service = life;
    };
    const { report } = await gradeOnFake(challengeWith('rps > 0.1 x reference'), script);

    expect(report.stages[0]?.crashes).toBe(1);
    expect(told.replies.at(-1)).toMatchObject({ ok: true });
  });

  it('does not hide that a database had ended before', async () => {
    const told: Told = { story: [], replies: [] };
    let database: FakeSidecarIo | undefined;
    const script = scriptOf(told, async (ask) => {
      database?.exit(1);
      await ask('reference');
    });
    script.sidecar = (io, spec) => {
      database = io;
      io.log(spec.ready.log);
    };
    const { report } = await gradeOnFake(challengeWith('rps > 0.1 x reference', ['postgres']), script);

    expect(report.stages[0]?.failure?.message).toContain('The PostgreSQL beside the service ended.');
  });

  it('is told when it could not be measured, and goes on', async () => {
    const told: Told = { story: [], replies: [] };
    const script = scriptOf(told, async (ask) => void (await ask('reference')));
    const { grader } = script;
    let graders = 0;
    script.grader = async (io, spec) => {
      graders += isReference(spec) ? 0 : 1;
      // The third and the fourth are those that measure it again.
      return graders > 2 && !isReference(spec) ? 1 : ((await grader?.(io, spec)) ?? 0);
    };
    const { report } = await gradeOnFake(challengeWith('p95 < 9 x reference'), script);

    expect(told.replies[0]).toMatchObject({
      ok: false,
      error: 'the reference service could not be measured',
    });
    expect(report.stages[0]).toMatchObject({ status: 'completed', crashes: 0 });
  });

  it('has the test done once more where a limit could not be judged, and what it says then counts', async () => {
    const told: Told = { story: [], replies: [] };
    let tests = 0;
    const script = scriptOf(told, async (_ask, io) => {
      tests += 1;
      const status = tests === 1 ? 'errored' : 'passed';
      await io.emit({ event: 'check', check: makeCheck('Load test', 'p95', { id: P95, status }) });
    });
    const { report } = await gradeOnFake(challengeWith('p95 < 9 x reference'), script);

    expect(tests).toBe(2);
    expect(report.stages[0]).toMatchObject({ status: 'completed', checks: [{ status: 'passed' }] });
  });

  it('is refused where no limit is relative, and the service goes on', async () => {
    const told: Told = { story: [], replies: [] };
    const script = scriptOf(told, async (ask) => {
      await ask('reference');
      await ask('start');
    });
    await gradeOnFake(challengeWith('p95 < 1s'), script);

    expect(told.replies.map(({ ok }) => ok)).toEqual([false, true]);
    expect(told.story).toEqual(['service starts', 'service ends']);
  });
});

describe('a grader that takes turns with the reference', () => {
  it('has the service and its database held still meanwhile', async () => {
    const told: Told = { story: [], replies: [] };
    const script = scriptOf(told, async (ask) => {
      await ask('reference-turn');
      await ask('start');
    });
    const { report } = await gradeOnFake(challengeWith('knee > 0.1 x reference', ['postgres']), script);

    expect(told.story).toEqual([
      'reference listens',
      'reference rests',
      'service starts',
      'pause',
      'pauseSidecar',
      'turn',
      'resumeSidecar',
      'resume',
      'service ends',
    ]);
    expect(told.replies).toMatchObject([
      { ok: true, turn: { requestsPerSecond: 9000, cpuMs: 12 } },
      { ok: true },
    ]);
    expect(report.stages[0]).toMatchObject({ status: 'completed', crashes: 0 });
  });

  it('gets one while the service is down, which stays down', async () => {
    const told: Told = { story: [], replies: [] };
    const script = scriptOf(told, async (ask) => {
      await ask('kill');
      await ask('reference-turn');
      await ask('stats');
    });
    await gradeOnFake(challengeWith('knee > 0.1 x reference'), script);

    expect(told.story.slice(-3)).toEqual(['service starts', 'service ends', 'turn']);
    expect(told.replies.map(({ ok }) => ok)).toEqual([true, true, false]);
  });

  it('is refused where no limit is relative', async () => {
    const told: Told = { story: [], replies: [] };
    const script = scriptOf(told, async (ask) => void (await ask('reference-turn')));
    await gradeOnFake(challengeWith('knee > 1/s'), script);

    expect(told.story).toEqual(['service starts', 'service ends']);
    expect(told.replies[0]?.ok).toBe(false);
  });

  it.each([
    ['says nothing of sense', 'hello'],
    ['has gone', null],
  ])('is told when the reference %s, and the service goes on', async (_why, said) => {
    const told: Told = { story: [], replies: [] };
    const script = scriptOf(told, async (ask) => {
      await ask('reference-turn');
      await ask('start');
    });
    const { grader } = script;
    script.grader = async (io, spec) => {
      if (!isReference(spec)) {
        return (await grader?.(io, spec)) ?? 0;
      }
      return await beReference(io, told, said);
    };
    const { report } = await gradeOnFake(challengeWith('knee > 0.1 x reference'), script);

    expect(told.replies).toMatchObject([
      { ok: false, error: 'the reference service could not be measured' },
      { ok: true },
    ]);
    expect(told.story.filter((what) => what !== 'turn').slice(-3)).toEqual([
      'pause',
      'resume',
      'service ends',
    ]);
    expect(report.stages[0]).toMatchObject({ status: 'completed', crashes: 0 });
  });

  it('is not measured while the service cannot be held still', async () => {
    const told: Told = { story: [], replies: [] };
    const script = scriptOf(told, async (ask) => void (await ask('reference-turn')));
    script.onCall = (call) => {
      if (call === 'pause') {
        throw new InfraError('ENGINE_TIMEOUT', 'no answer');
      }
    };
    await gradeOnFake(challengeWith('knee > 0.1 x reference'), script);

    expect(told.replies).toMatchObject([{ ok: false }]);
    expect(told.story).not.toContain('turn');
  });
});

it('a reference that fails before the test leaves its figures out and the port free', async () => {
  const told: Told = { story: [], replies: [] };
  const plans: object[] = [];
  const script: FakeScript = {
    candidate: (service) => {
      told.story.push('service starts');
      service.listen(8080);
    },
    grader: async (io, spec) => {
      if (isReference(spec)) {
        io.signal.addEventListener('abort', () => told.story.push('reference ends'));
        for (let line = await io.readLine(); line !== undefined; line = await io.readLine()) {
          await io.emit('no port');
        }
        return 0;
      }
      const line = await io.readLine();
      plans.push(...(line === undefined ? [] : [(JSON.parse(line) as GraderInput).plan as object]));
      await io.emit({ event: 'done', inconclusive: 'no reference' });
      return 0;
    },
  };
  const { report } = await gradeOnFake(challengeWith('knee > 0.1 x reference'), script);

  expect(told.story).toEqual(['reference ends', 'service starts', 'reference ends', 'service starts']);
  // The test itself, tried twice; the reference was never asked by a generator.
  expect(plans.map((plan) => Object.hasOwn(plan, 'reference'))).toEqual([false, false]);
  expect(report.stages[0]).toMatchObject({ inconclusive: 'no reference', crashes: 0 });
});
