import { describe, expect, test } from 'vitest';
import { formatProofs, isProven } from '../../../src/sandbox/docker/self-test.ts';
import { judgeProbe, REFUSED_CALLS } from '../../../src/sandbox/docker/self-test-checks.ts';
import { parseProbe } from '../../../src/sandbox/docker/self-test-probe.ts';

const LIMITS = { cpus: 1, memoryBytes: 192 * 1024 ** 2, pids: 64, files: 1024, wallMs: 1000 };

const SEALED = [
  'status\tUid\t10001\t10001\t10001\t10001',
  ...['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => `status\t${name}\t0000000000000000`),
  'status\tNoNewPrivs\t1',
  'status\tSeccomp\t2',
  ...Object.entries(REFUSED_CALLS).map(([name, error]) => `syscall\t${name}\t${error}`),
  'write\t/probe\tEROFS',
  'absent\t/var/run/docker.sock\tabsent',
  'interface\tlo\tup',
  'interface\ttunl0\tdown',
  'connect\t1.1.1.1 port 80\tENETUNREACH',
  'dns\tfailed\t0',
  'files\t1021\tEMFILE',
  'pids\t62\tEAGAIN',
  'tmp\t67108864\tENOSPC',
  'memory\tkilled by signal 9',
  'end\treached',
];

function failures(lines: readonly string[]): string[] {
  return judgeProbe(parseProbe(lines.join('\n')), LIMITS)
    .filter((proof) => !proof.ok)
    .map((proof) => proof.name);
}

function withLine(from: string, to: string): string[] {
  expect(SEALED).toContain(from);
  return SEALED.map((line) => (line === from ? to : line));
}

describe('judging the probe', () => {
  test('a sealed sandbox is proven', () => {
    expect(failures(SEALED)).toEqual([]);
  });

  test.each([
    ['status\tUid\t10001\t10001\t10001\t10001', 'status\tUid\t0\t0\t0\t0', 'not root'],
    ['status\tCapBnd\t0000000000000000', 'status\tCapBnd\t00000000a80425fb', 'no capabilities'],
    ['status\tNoNewPrivs\t1', 'status\tNoNewPrivs\t0', 'no new privileges'],
    ['status\tSeccomp\t2', 'status\tSeccomp\t0', 'seccomp filter'],
    ['syscall\tAF_VSOCK\tEPERM', 'syscall\tAF_VSOCK\tallowed', 'system calls refused'],
    ['syscall\tclone3\tENOSYS', 'syscall\tclone3\tEPERM', 'system calls refused'],
    ['write\t/probe\tEROFS', 'write\t/probe\tallowed', 'read-only root'],
    [
      'absent\t/var/run/docker.sock\tabsent',
      'absent\t/var/run/docker.sock\tpresent',
      'no host devices or sockets',
    ],
    ['interface\ttunl0\tdown', 'interface\teth0\tup', 'loopback only'],
    ['connect\t1.1.1.1 port 80\tENETUNREACH', 'connect\t1.1.1.1 port 80\tconnected', 'no way out'],
    ['connect\t1.1.1.1 port 80\tENETUNREACH', 'connect\t1.1.1.1 port 80\ttimeout', 'no way out'],
    ['dns\tfailed\t0', 'dns\tresolved\t0', 'names do not resolve'],
    ['dns\tfailed\t0', 'dns\tfailed\t10', 'names do not resolve'],
    ['files\t1021\tEMFILE', 'files\t20000\tEMFILE', 'open files limit'],
    ['pids\t62\tEAGAIN', 'pids\t5000\tnever refused', 'process limit'],
    ['tmp\t67108864\tENOSPC', 'tmp\t4294967296\tnever full', '/tmp writable and sized'],
    ['tmp\t67108864\tENOSPC', 'tmp\t0\tEROFS', '/tmp writable and sized'],
    ['memory\tkilled by signal 9', 'memory\texit 0', 'memory limit'],
  ])('%j seen as %j fails "%s" alone', (from, to, name) => {
    expect(failures(withLine(from, to))).toEqual([name]);
  });

  test('silence proves nothing', () => {
    expect(failures([])).toHaveLength(judgeProbe(parseProbe(''), LIMITS).length);
    expect(isProven([])).toBe(false);
  });
});

test('the table names what failed and refuses work', () => {
  const text = formatProofs([
    { name: 'not root', ok: true, detail: 'uid 10001' },
    { name: 'memory limit', ok: false, detail: 'exit 0' },
  ]);
  expect(text.split('\n')).toEqual([
    'ok      not root      uid 10001',
    'FAILED  memory limit  exit 0',
    'The sandbox is not proven: 1 of 2 proofs failed. No work is taken.',
  ]);
});
