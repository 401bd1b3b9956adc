import type { ServiceLimits } from '../../domain/limits.ts';
import { formatBytes } from '../../domain/units.ts';
import type { Count, ProbeFacts } from './self-test-probe.ts';

/** One thing the self-test showed about the sandbox, or could not show. */
export interface Proof {
  name: string;
  ok: boolean;
  /** What was seen, in a few words. */
  detail: string;
}

/** Calls that must be refused by our profile, by what the probe calls them. clone3 must look as if it did not exist. */
export const REFUSED_CALLS: Readonly<Record<string, 'EPERM' | 'ENOSYS'>> = {
  io_uring_setup: 'EPERM',
  AF_ALG: 'EPERM',
  AF_VSOCK: 'EPERM',
  AF_PACKET: 'EPERM',
  AF_NETLINK_AUDIT: 'EPERM',
  RAW: 'EPERM',
  keyctl: 'EPERM',
  add_key: 'EPERM',
  bpf: 'EPERM',
  perf_event_open: 'EPERM',
  userfaultfd: 'EPERM',
  ptrace: 'EPERM',
  process_vm_readv: 'EPERM',
  mount: 'EPERM',
  unshare: 'EPERM',
  setns: 'EPERM',
  open_by_handle_at: 'EPERM',
  settimeofday: 'EPERM',
  clone3: 'ENOSYS',
};

const CAPABILITY_SETS = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'];
/** A container's first process, its init and the probe need some of the limit themselves. */
const OWN_PIDS = 8;
const OWN_FILES = 16;
const SIGKILL_ENDED = 'killed by signal 9';

/** Turns what the probe saw into proofs. A fact that is missing is a failed proof. Pure. */
export function judgeProbe(facts: ProbeFacts, limits: ServiceLimits): Proof[] {
  return [
    ...judgeIdentity(facts),
    judgeCalls(facts),
    judgeMap('read-only root', facts.writes, (outcome) => outcome !== 'allowed', 'writes refused'),
    judgeMap('no host devices or sockets', facts.absences, (outcome) => outcome === 'absent', 'absent'),
    judgeInterfaces(facts),
    judgeMap(
      'no way out',
      facts.connections,
      (outcome) => outcome.startsWith('E'),
      'destinations refused at once',
    ),
    judgeDns(facts),
    judgeCount('process limit', facts.pids, limits.pids, OWN_PIDS, 'EAGAIN'),
    judgeCount('open files limit', facts.files, limits.files, OWN_FILES, 'EMFILE'),
    judgeTmp(facts, limits),
    {
      name: 'memory limit',
      ok: facts.memory === SIGKILL_ENDED,
      detail: facts.memory ?? 'not tried',
    },
  ];
}

function judgeIdentity({ status }: ProbeFacts): Proof[] {
  const uid = status.get('Uid');
  const capabilities = CAPABILITY_SETS.map((name) => status.get(name) ?? 'unknown');
  const noNewPrivs = status.get('NoNewPrivs');
  const seccomp = status.get('Seccomp');
  return [
    { name: 'not root', ok: uid !== undefined && Number(uid) > 0, detail: `uid ${uid ?? 'unknown'}` },
    {
      name: 'no capabilities',
      ok: capabilities.every((set) => /^0+$/.test(set)),
      detail: CAPABILITY_SETS.map((name, index) => `${name} ${shortHex(capabilities[index])}`).join(', '),
    },
    { name: 'no new privileges', ok: noNewPrivs === '1', detail: `NoNewPrivs ${noNewPrivs ?? 'unknown'}` },
    { name: 'seccomp filter', ok: seccomp === '2', detail: `Seccomp ${seccomp ?? 'unknown'}` },
  ];
}

function judgeCalls({ syscalls }: ProbeFacts): Proof {
  const wrong = Object.entries(REFUSED_CALLS)
    .filter(([name, expected]) => syscalls.get(name) !== expected)
    .map(([name, expected]) => `${name}: ${syscalls.get(name) ?? 'not tried'}, not ${expected}`);
  return {
    name: 'system calls refused',
    ok: wrong.length === 0,
    detail: wrong.length === 0 ? `all ${Object.keys(REFUSED_CALLS).length} tried` : wrong.join('; '),
  };
}

function judgeMap(
  name: string,
  outcomes: ReadonlyMap<string, string>,
  holds: (outcome: string) => boolean,
  what: string,
): Proof {
  const wrong = [...outcomes].filter(([, outcome]) => !holds(outcome));
  return {
    name,
    ok: outcomes.size > 0 && wrong.length === 0,
    detail:
      wrong.length === 0
        ? `${outcomes.size} ${what}`
        : wrong.map(([tried, outcome]) => `${tried}: ${outcome}`).join('; '),
  };
}

function judgeInterfaces({ interfaces }: ProbeFacts): Proof {
  // Kernel modules may put tunnel devices into every namespace; one that is down carries nothing.
  const up = [...interfaces].filter(([, state]) => state === 'up').map(([name]) => name);
  return {
    name: 'loopback only',
    ok: up.length === 1 && up[0] === 'lo',
    detail: up.join(', ') || 'no interface is up',
  };
}

function judgeDns({ dns }: ProbeFacts): Proof {
  return {
    name: 'names do not resolve',
    ok: dns?.outcome === 'failed' && dns.seconds <= 1,
    detail: dns ? `${dns.outcome} within ${dns.seconds + 1} s` : 'not tried',
  };
}

function judgeCount(
  name: string,
  seen: Count | undefined,
  limit: number,
  slack: number,
  error: string,
): Proof {
  return {
    name,
    ok: seen !== undefined && seen.count <= limit && seen.count >= limit - slack && seen.end === error,
    detail: seen ? `${seen.count} of ${limit}, then ${seen.end}` : 'not tried',
  };
}

function judgeTmp({ tmpBytes }: ProbeFacts, limits: ServiceLimits): Proof {
  return {
    name: '/tmp writable and sized',
    ok:
      tmpBytes !== undefined &&
      tmpBytes.count > 0 &&
      tmpBytes.count <= limits.memoryBytes &&
      tmpBytes.end === 'ENOSPC',
    detail: tmpBytes ? `${formatBytes(tmpBytes.count)}, then ${tmpBytes.end}` : 'not tried',
  };
}

function shortHex(set: string | undefined): string {
  return set?.replace(/^0+(?=.)/, '') ?? 'unknown';
}
