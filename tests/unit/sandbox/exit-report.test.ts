import { describe, expect, it } from 'vitest';
import { type ExitFacts, signalOf, toExitReport } from '../../../src/sandbox/docker/exit-report.ts';
import { execFailure, initFailure } from '../../../src/sandbox/docker/start-failure.ts';

const FACTS: ExitFacts = {
  exitCode: 0,
  oomKilled: false,
  pidsLimitHit: false,
  wallMs: 1234.4,
  limits: { memoryBytes: 512 * 1024 ** 2, pids: 64, wallMs: 90_000, diskBytes: 1024 ** 3 },
};

describe('toExitReport', () => {
  it.each<[string, Partial<ExitFacts>, string, string]>([
    ['a clean end', {}, 'exited', 'It ended by itself with code 0.'],
    ['an error of its own', { exitCode: 3 }, 'exited', 'It ended by itself with code 3.'],
    ['a crash', { exitCode: 139 }, 'signaled', 'It was ended by signal SIGSEGV.'],
    [
      'a kill that nobody asked for',
      { exitCode: 137 },
      'signaled',
      'It was ended by signal SIGKILL, which was not ours: most likely it used more than its 512 MiB of memory.',
    ],
    [
      'the memory limit',
      { exitCode: 137, oomKilled: true },
      'oom',
      'It was ended because it used more than its 512 MiB of memory.',
    ],
    [
      'a child at the memory limit, then an exit',
      { exitCode: 1, oomKilled: true },
      'oom',
      'It ended with code 1 after one of its processes used more than its 512 MiB of memory.',
    ],
    [
      'a child at the memory limit, survived',
      { oomKilled: true },
      'exited',
      'It ended by itself with code 0. Before that it met its memory limit of 512 MiB.',
    ],
    [
      'the process limit',
      { exitCode: 1, pidsLimitHit: true },
      'pids',
      'It ended with code 1 after reaching its limit of 64 processes and threads.',
    ],
    [
      'the wall-clock limit',
      { exitCode: 137, requested: 'timeout' },
      'timeout',
      'It was ended because it ran longer than its 1 min 30 s.',
    ],
    [
      'the disk limit, and memory in the same moment',
      { exitCode: 137, requested: 'disk', oomKilled: true },
      'disk',
      'It was ended because it wrote more than its 1 GiB to disk.',
    ],
    [
      'a kill of ours',
      { exitCode: 137, requested: 'killed' },
      'killed',
      'It was ended by the grading service.',
    ],
    [
      'a stop that it followed',
      { requested: 'stopped' },
      'killed',
      'It ended with code 0 after it was asked to stop.',
    ],
    [
      'a stop that it ignored',
      { exitCode: 137, requested: 'stopped' },
      'killed',
      'It did not end in time after it was asked to stop, and was killed.',
    ],
    [
      'a command that is not there',
      { exitCode: 127, startError: '"x": no such file' },
      'start-failed',
      'It could not be started: "x": no such file.',
    ],
  ])('classifies %s', (_name, facts, cause, message) => {
    expect(toExitReport({ ...FACTS, ...facts })).toMatchObject({ cause, message, wallMs: 1234 });
  });

  it('names signals by their numbers and nothing else', () => {
    expect(signalOf(137)).toBe('SIGKILL');
    expect(signalOf(143)).toBe('SIGTERM');
    expect(signalOf(128)).toBeUndefined();
    expect(signalOf(255)).toBeUndefined();
    expect(signalOf(1)).toBeUndefined();
  });
});

describe('start failures', () => {
  it('knows the init process by its words and its code', () => {
    const output = '[FATAL tini (7)] exec /nope failed: No such file or directory\n';
    expect(initFailure(127, () => output)).toBe('"/nope": no such file or directory');
    expect(initFailure(1, () => output)).toBeUndefined();
    expect(initFailure(127, () => 'sh: 1: x: not found\n')).toBeUndefined();
  });

  it('tells an engine that cannot execute the command from one that cannot start anything', () => {
    const refused = Object.assign(
      new Error('unable to start container process: exec: "x": executable file not found in $PATH'),
      { statusCode: 400 },
    );
    expect(execFailure(refused)).toBe('executable file not found');
    const broken = Object.assign(new Error('no such file or directory: /run/containerd'), {
      statusCode: 500,
    });
    expect(execFailure(broken)).toBeUndefined();
    expect(execFailure(new Error(refused.message))).toBeUndefined();
  });
});
