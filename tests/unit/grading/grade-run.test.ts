import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../../src/cli/exit-codes.ts';
import { loadChallenge } from '../../../src/challenges/load-challenge.ts';
import type { Challenge } from '../../../src/domain/challenge.ts';
import type { Check, GraderInput } from '../../../src/domain/grader-protocol.ts';
import { InfraError } from '../../../src/domain/errors.ts';
import type { GradedRun } from '../../../src/grading/grade-run.ts';
import type { FakeGraderIo, FakeScript } from '../../../src/sandbox/fake/fake-script.ts';
import { gradeOnFake } from '../../helpers/fake-grading.ts';

const challenge = await loadChallenge('tests/corpus/trivial/challenge');
const IDS = ['five/one', 'five/two', 'five/three', 'five/four', 'five/five'];

async function grade(
  script: FakeScript,
  signal = new AbortController().signal,
  uses: Challenge['file']['service']['uses'] = [],
): Promise<GradedRun> {
  const service = { ...challenge.file.service, uses };
  return await gradeOnFake({ ...challenge, file: { ...challenge.file, service } }, script, signal);
}

function check(id: string, status: Check['status'] = 'passed'): { event: 'check'; check: Check } {
  return {
    event: 'check',
    check: {
      id,
      name: id,
      status,
      points: status === 'passed' ? 1 : 0,
      maxPoints: 1,
      skill: 'api-design',
      visibility: 'hidden',
      message: status === 'passed' ? '' : 'expected status 200, got 500',
      durationMs: 1,
    },
  };
}

async function passAll(io: FakeGraderIo): Promise<number> {
  await io.readLine();
  for (const id of IDS) {
    await io.emit(check(id));
  }
  await io.emit({ event: 'done' });
  return 0;
}

async function ask(
  io: FakeGraderIo,
  action: string,
): Promise<{ ok: boolean; note?: string; error?: string }> {
  await io.emit({ event: 'control', id: 'c', action });
  return JSON.parse((await io.readLine()) ?? 'null') as { ok: boolean };
}

describe('gradeRun', () => {
  it('passes a run whose checks all pass', async () => {
    const { report } = await grade({ grader: passAll });

    expect(report.outcome).toMatchObject({ status: 'completed', verdict: 'passed', score: 100 });
    expect(report.run.timeline.map((entry) => entry.phase)).toEqual(['build', 'api']);
  });

  it('gives the grader the address that readiness found, and a seed of the run', async () => {
    let input: GraderInput | undefined;
    await grade({
      candidate: (service) => service.listen(8080, { address: '::1' }),
      grader: async (io) => {
        input = JSON.parse((await io.readLine()) ?? '') as GraderInput;
        await io.emit({ event: 'done' });
        return 0;
      },
    });

    expect(input).toMatchObject({ target: { address: '::1', port: 8080 }, seed: 'seed:api', stage: 'api' });
  });

  it('lets a database live as long as the slowest grader', async () => {
    const walls: Record<string, number> = {};
    const { report } = await grade(
      {
        sidecar: (io, spec) => {
          walls[spec.name] = spec.limits.wallMs;
          io.log(spec.ready.log);
        },
        grader: (io, spec) => {
          walls['grader'] = spec.limits.wallMs;
          return passAll(io);
        },
      },
      undefined,
      ['postgres'],
    );

    expect(report.outcome.verdict).toBe('passed');
    expect(walls['postgres']).toBeGreaterThanOrEqual(walls['grader'] ?? Number.NaN);
  });

  it('takes the JUnit XML of a grader, in parts, for its checks', async () => {
    const cases = IDS.map((id, index) => {
      const inner = index === 0 ? '<failure message="no"/>' : '';
      return `<testcase classname="five" name="${id.replace('five/', '')}">${inner}</testcase>`;
    });
    const xml = Buffer.from(`<testsuite name="s">${cases.join('')}</testsuite>`);
    const { report, artifacts } = await grade({
      grader: async (io) => {
        await io.readLine();
        for (const [index, part] of [xml.subarray(0, 50), xml.subarray(50)].entries()) {
          const file = { name: 'junit.xml', contentType: 'application/xml', base64: part.toString('base64') };
          await io.emit({ event: 'artifact', ...file, ...(index > 0 ? { append: true } : {}) });
        }
        await io.emit({ event: 'done' });
        return 0;
      },
    });

    expect(report.stages[0]?.checks.map(({ status }) => status)).toEqual([
      'failed',
      ...Array(4).fill('passed'),
    ]);
    expect(artifacts[0]?.content.equals(xml)).toBe(true);
  });

  it('finds a grader at fault whose JUnit XML cannot be read', async () => {
    const { report } = await grade({
      grader: async (io) => {
        await io.readLine();
        const base64 = Buffer.from('<testsuite>').toString('base64');
        await io.emit({ event: 'artifact', name: 'junit.xml', contentType: 'application/xml', base64 });
        await io.emit({ event: 'done' });
        return 0;
      },
    });

    expect(report.stages[0]).toMatchObject({ status: 'errored', failure: { blame: 'infra' } });
    expect(report.stages[0]?.failure?.message).toContain("The grader's junit.xml cannot be used: line 1");
  });

  it('fails a submission that does not build, and says whose it is', async () => {
    const exit = {
      cause: 'oom',
      exitCode: 137,
      oomKilled: true,
      pidsLimitHit: false,
      wallMs: 5,
      message: 'It used more than its 256 MiB.',
    } as const;
    const log = { text: 'last words', totalBytes: 10, truncated: false, throttled: false };
    const { report } = await grade({ build: () => ({ ok: false, exit, log, wallMs: 5 }), grader: passAll });

    expect(report.outcome).toMatchObject({
      verdict: 'failed',
      failure: { code: 'BUILD_OOM', blame: 'limit' },
    });
    expect(report.outcome.failure?.log).toBe('last words');
    expect(report.stages.flatMap((stage) => stage.checks).every((one) => one.status !== 'passed')).toBe(true);
  });

  it('fails a service that ends before it is ready, and tries no further stage', async () => {
    const { report } = await grade({ candidate: (service) => service.exit(3), grader: passAll });

    expect(report.outcome).toMatchObject({ verdict: 'failed', score: 0, failure: { code: 'START_FAILED' } });
    expect(report.outcome.failure?.exit?.exitCode).toBe(3);
  });

  it('names the port that was opened instead', async () => {
    const { report } = await grade({ candidate: (service) => service.listen(3000), grader: passAll });

    expect(report.outcome.failure).toMatchObject({ code: 'NOT_READY', blame: 'candidate' });
    expect(report.outcome.failure?.message).toContain('port 3000');
  }, 10_000);

  it('runs a grader that broke once more, and takes the second result', async () => {
    let tries = 0;
    const { report } = await grade({
      grader: async (io) => {
        tries += 1;
        if (tries === 1) {
          await io.readLine();
          await io.emit(check('five/one', 'failed'));
          return 1;
        }
        return await passAll(io);
      },
    });

    expect(tries).toBe(2);
    expect(report.outcome).toMatchObject({ verdict: 'passed', score: 100 });
  });

  it('takes what a grader said that did not wait for an answer', async () => {
    const { report } = await grade({
      candidate: (service) => {
        if (service.life === 1) {
          service.listen(8080);
          setTimeout(() => service.exit(137), 20);
        } else {
          setTimeout(() => service.listen(8080), 300);
        }
      },
      grader: async (io) => {
        await io.readLine();
        await new Promise((resolve) => setTimeout(resolve, 60));
        await io.emit({ event: 'control', id: 'c', action: 'start' });
        for (const id of IDS) {
          await io.emit(check(id));
        }
        await io.emit({ event: 'done' });
        return 0;
      },
    });

    expect(report.stages[0]?.failure).toBeUndefined();
    expect(report.outcome).toMatchObject({ verdict: 'passed', score: 100 });
    expect(report.stages[0]?.crashes).toBe(1);
  });

  it('says that a file of the challenge is broken, tries it once, and blames nobody else', async () => {
    let tries = 0;
    const specError = { message: 'hidden/suite.test.ts does not compile', log: 'line 3: unexpected token' };
    const { report } = await grade({
      grader: async (io) => {
        tries += 1;
        await io.readLine();
        await io.emit({ event: 'done', specError });
        return 0;
      },
    });

    expect(tries).toBe(1);
    expect(report.stages[0]).toMatchObject({
      status: 'errored',
      failure: { code: 'SPEC_BROKEN', blame: 'spec', ...specError },
    });
    expect(report.outcome.remarks.join()).toContain('a mistake in the challenge: hidden/suite.test.ts');
    expect(exitCodeOf(report)).toBe(2);
  });

  it('measures once more when the grader says that it could not', async () => {
    let tries = 0;
    const { report } = await grade({
      grader: async (io) => {
        tries += 1;
        if (tries === 1) {
          await io.readLine();
          await io.emit({ event: 'done', inconclusive: 'the generator ran late' });
          return 0;
        }
        return await passAll(io);
      },
    });

    expect(tries).toBe(2);
    expect(report.outcome).toMatchObject({ verdict: 'passed', score: 100, remarks: [] });
  });

  it.each([
    ['prints what is no event', (io: FakeGraderIo) => io.emit('Segmentation fault')],
    ['prints a line without end', (io: FakeGraderIo) => io.emit('x'.repeat(300 * 1024))],
    ['ends without a word', () => Promise.resolve()],
  ])('does not hold it against the candidate when the grader %s, twice', async (_what, misbehave) => {
    const { report } = await grade({
      grader: async (io) => {
        await io.readLine();
        await io.emit(check('five/one'));
        await misbehave(io);
        return 1;
      },
    });

    expect(report.outcome.verdict).toBe('inconclusive');
    expect(report.stages[0]?.failure).toMatchObject({ code: 'GRADER_FAILED', blame: 'infra' });
    const checks = report.stages[0]?.checks ?? [];
    expect(checks.map((one) => one.status)).toEqual(['passed', 'errored', 'errored', 'errored', 'errored']);
  });

  it('starts a crashed service again at most three times and counts the crashes', async () => {
    const replies: { ok: boolean; note?: string; error?: string }[] = [];
    const { report } = await grade({
      candidate: (service) => {
        service.listen(8080);
        setTimeout(() => service.exit(9), 30);
      },
      grader: async (io) => {
        await io.readLine();
        for (let crash = 0; crash < 5; crash += 1) {
          await new Promise((resolve) => setTimeout(resolve, 60));
          replies.push(await ask(io, 'start'));
        }
        await io.emit({ event: 'done' });
        return 0;
      },
    });

    expect(replies.map((reply) => reply.ok)).toEqual([true, true, true, false, false]);
    expect(replies[0]?.note).toContain('9');
    expect(replies[3]?.error).toContain('4 times');
    expect(report.stages[0]?.crashes).toBe(4);
  });

  it('does not count an end that the grader asked for as a crash', async () => {
    const { report } = await grade({
      grader: async (io) => {
        await io.readLine();
        for (const action of ['restart', 'kill', 'start', 'stop', 'start']) {
          expect(await ask(io, action)).toMatchObject({ ok: true });
        }
        for (const id of IDS) {
          await io.emit(check(id));
        }
        await io.emit({ event: 'done' });
        return 0;
      },
    });

    expect(report.stages[0]?.crashes).toBe(0);
    expect(report.outcome.verdict).toBe('passed');
  });

  it('reports an engine that fails as ours', async () => {
    const { report } = await grade({
      grader: passAll,
      onCall: (call) => {
        if (call === 'startCandidate') {
          throw new InfraError('ENGINE_TIMEOUT', 'the engine did not answer');
        }
      },
    });

    expect(report.outcome).toMatchObject({ status: 'errored', verdict: null, failure: { blame: 'infra' } });
  });

  it('cancels at once when asked, keeps what there was, and never looks like a result', async () => {
    const controller = new AbortController();
    const { report } = await grade(
      {
        grader: async (io) => {
          await io.readLine();
          await io.emit(check('five/one'));
          controller.abort(new Error('stop'));
          await new Promise((resolve) => io.signal.addEventListener('abort', resolve));
          return 0;
        },
      },
      controller.signal,
    );

    expect(report.outcome).toMatchObject({ status: 'canceled', verdict: null });
  });
});
