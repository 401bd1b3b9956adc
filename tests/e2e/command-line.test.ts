import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReportSchema } from '../../src/domain/report.ts';
import { listLabelled } from '../helpers/engine-objects.ts';

const CHALLENGE = 'bench/fixtures/trivial';
const SUBMISSION = 'bench/fixtures/trivial/submissions/reference';
const SLOW_CHALLENGE = 'challenge-specs/url-shortener';
const SLOW_SUBMISSION = 'challenge-specs/url-shortener/submissions/reference-node';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-cli-'));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function environment() {
  return { ...process.env, ASSAY_HOME: home };
}

async function assay(...args: string[]): Promise<Ended> {
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', 'src/main.ts', ...args],
      { env: environment(), maxBuffer: 64 * 1024 ** 2 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

/** Starts a long grading and resolves when its hidden tests have begun. */
async function startLongRun() {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'src/main.ts', 'grade', SLOW_SUBMISSION, '--challenge', SLOW_CHALLENGE],
    { env: environment(), stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => chunk.includes('API tests') && resolve());
    void ended.then(() => resolve());
  });
  await sleep(1500);
  return { child, ended };
}

/** Everything of this test's installation on the engine. */
async function listOurs(): Promise<string[]> {
  const install = (await readFile(join(home, 'install-id'), 'utf8')).trim();
  return await listLabelled(`assay.install=${install}`);
}

/** What still runs of this installation, after waiting for it to go. */
async function untilNothingRuns(deadlineMs: number): Promise<string[]> {
  const began = performance.now();
  for (;;) {
    const left = (await listOurs()).filter((name) => name.includes('running'));
    if (left.length === 0 || performance.now() - began > deadlineMs) {
      return left;
    }
    await sleep(100);
  }
}

it('prints the help of a command on stdout', async () => {
  const { code, stdout, stderr } = await assay('check', '--help');

  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^assay check <bundle>/);
});

describe('assay grade', () => {
  it('prints the report alone with --json and exits 0 when passed', async () => {
    const { code, stdout } = await assay('grade', SUBMISSION, '--challenge', CHALLENGE, '--json');

    expect(code).toBe(0);
    const report = ReportSchema.parse(JSON.parse(stdout));
    expect(report.outcome).toMatchObject({ verdict: 'passed', score: 100, maxScore: 100 });
  });

  it('exits 1 when graded and not passed, and prints why and where the report is', async () => {
    const { code, stdout } = await assay(
      'grade',
      'tests/corpus/trivial/05-crashes-in-a-check/submission',
      '--challenge',
      'tests/corpus/trivial/challenge',
    );

    expect(code).toBe(1);
    expect(stdout).toContain('Five requests: three');
    expect(stdout).toContain('report.html');
  });

  it.each([
    ['a missing bundle', [SUBMISSION, '--challenge', 'no/such/bundle'], 'no/such/bundle'],
    ['a missing submission', ['no/such/folder', '--challenge', CHALLENGE], 'ARCHIVE_UNREADABLE'],
    [
      'a submission without a manifest',
      ['bench/fixtures/trivial/hidden', '--challenge', CHALLENGE],
      'NO_PROJECT',
    ],
    ['an unknown stage', [SUBMISSION, '--challenge', CHALLENGE, '--stages', 'laod'], 'laod'],
    ['an unknown option', [SUBMISSION, '--challenge', CHALLENGE, '--jsn'], '--jsn'],
    ['no challenge', [SUBMISSION], '--challenge'],
  ])('refuses %s with exit code 2 and says what', async (_what, args, word) => {
    const { code, stderr, stdout } = await assay('grade', ...args);

    expect(code).toBe(2);
    expect(stderr).toContain(word);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe('');
  });

  it('refuses a file that is no archive', async () => {
    const file = join(home, 'submission.zip');
    await writeFile(file, '%PDF-1.7 not an archive');

    const { code, stderr } = await assay('grade', file, '--challenge', CHALLENGE);

    expect(code).toBe(2);
    expect(stderr).toContain('ARCHIVE_');
  });

  it('refuses a malformed bundle with file and line', async () => {
    const bundle = await mkdtemp(join(home, 'bundle-'));
    await writeFile(join(bundle, 'challenge.yaml'), 'apiVersion: assay/v1\nslug: x\ntitle: X\nstagse: {}\n');

    const { code, stderr } = await assay('grade', SUBMISSION, '--challenge', bundle);

    expect(code).toBe(2);
    expect(stderr).toContain('challenge.yaml:4');
    expect(stderr).toContain('stages');
  });

  it('exits 3 when the engine does not answer, and blames nobody else', async () => {
    const ended = await new Promise<Ended>((resolve) => {
      execFile(
        process.execPath,
        ['--import', 'tsx', 'src/main.ts', 'grade', SUBMISSION, '--challenge', CHALLENGE],
        { env: { ...environment(), DOCKER_HOST: 'unix:///nonexistent/docker.sock' } },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });

    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('engine');
  });
});

describe('a run that is ended from outside', () => {
  it('cleans up at Ctrl-C and exits 130', async () => {
    const { child, ended } = await startLongRun();

    child.kill('SIGINT');

    expect(await ended).toBe(130);
    expect(await untilNothingRuns(0)).toEqual([]);
  });

  it('leaves nothing running within seconds of kill -9', async () => {
    const { child, ended } = await startLongRun();
    expect((await listOurs()).length).toBeGreaterThan(0);

    child.kill('SIGKILL');

    await ended;
    expect(await untilNothingRuns(10_000)).toEqual([]);
    const next = await assay('clean');
    expect(next.code).toBe(0);
    expect(await listOurs()).toEqual([]);
  });

  it('does not disturb another run of the same installation', async () => {
    const first = await startLongRun();
    const other = await assay('grade', SUBMISSION, '--challenge', CHALLENGE, '--json');
    first.child.kill('SIGKILL');
    const after = await assay('grade', SUBMISSION, '--challenge', CHALLENGE, '--json');

    expect([other.code, after.code]).toEqual([0, 0]);
    await first.ended;
    expect(await untilNothingRuns(10_000)).toEqual([]);
  });
});
