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
import { gradeOnFake } from '../../helpers/fake-grading.ts';
import { makeCheck, makeLatency, makeLoadResult, makeLoadTask } from '../../helpers/report-fixtures.ts';

/** The check of "p95 < 9 x reference". */
const P95 = 'load/p95-9-x-reference';

const trivial = await loadChallenge('tests/corpus/trivial/challenge');

function challengeWith(that: string, uses: Challenge['file']['service']['uses'] = []): Challenge {
  const users = [{ name: 'U', tasks: [{ name: 'get', request: 'GET /' }] }];
  const shape = [{ users: 1, for: '1s' }];
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
    candidate: (service, spec) => {
      const who = spec.workdir === '/reference' ? 'reference' : 'service';
      told.story.push(`${who} starts`);
      service.signal.addEventListener('abort', () => told.story.push(`${who} ends`));
      service.log(`log of the ${who}`);
      service.listen(8080);
    },
    sidecar: (io, spec) => io.log(spec.ready.log),
    grader: async (io) => {
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
      'reference starts',
      'reference ends',
      'service starts',
      'service ends',
      'reference starts',
      'reference ends',
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
      service = spec.workdir === '/reference' ? service : life;
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
    let starts = 0;
    script.onCall = (call) => {
      if (call === 'startCandidate' && (starts += 1) === 3) {
        throw new InfraError('ENGINE_TIMEOUT', 'no answer');
      }
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
