import type { ExitReport } from '../domain/exit-report.ts';
import type { Failure } from '../domain/report.ts';
import { formatMs } from '../domain/units.ts';
import type { BuildOutcome, Listener, LogCapture, ProbeResult } from '../sandbox/sandbox-engine.ts';
import type { Readiness, ReadyRule } from './wait-ready.ts';

const LOG_TAIL_CHARS = 4_000;

/** The last lines of a log, whole lines only, for a failure. Untrusted text. */
export function logTail(log: LogCapture): string {
  const tail = log.text.slice(-LOG_TAIL_CHARS);
  const firstBreak = log.text.length > LOG_TAIL_CHARS ? tail.indexOf('\n') + 1 : 0;
  return tail.slice(firstBreak).trimEnd();
}

/** Turns a service that did not become ready into one sentence, a hint and the evidence. */
export function diagnoseStart(
  readiness: Exclude<Readiness, { kind: 'ready' }>,
  rule: ReadyRule,
  log: LogCapture,
): Failure {
  const text = logTail(log);
  const hint = logHint(log.text);
  if (readiness.kind === 'ended') {
    return {
      code: 'START_FAILED',
      blame: blameOf(readiness.exit),
      message: `The service ended before it was ready. ${readiness.exit.message}`,
      ...optional('hint', hint ?? 'The last lines of its log, below, usually say why.'),
      exit: readiness.exit,
      log: text,
    };
  }
  const { message, hint: portHint } = describeNotReady(readiness.last, readiness.listeners, rule);
  return {
    code: 'NOT_READY',
    blame: 'candidate',
    message,
    ...optional('hint', portHint ?? hint),
    log: text,
  };
}

/** Turns a build that did not work into a failure. Registry trouble of ours is told apart by the build stage. */
export function diagnoseBuild(outcome: Extract<BuildOutcome, { ok: false }>, step: string): Failure {
  const code =
    { timeout: 'BUILD_TIMEOUT', oom: 'BUILD_OOM', disk: 'BUILD_DISK' }[outcome.exit.cause as string] ??
    'BUILD_FAILED';
  return {
    code,
    blame: blameOf(outcome.exit),
    message: `${step} did not succeed. ${outcome.exit.message}`,
    ...optional('hint', compilerHint(outcome.log.text) ?? logHint(outcome.log.text)),
    exit: outcome.exit,
    log: logTail(outcome.log),
  };
}

/** "main.go:7:2: undefined: x", "src/a.ts(3,5): error TS2322: …": the first is the one to look at. */
const COMPILER_LINE = /^(?:\.\/)?([\w./-]{1,200}\.\w{1,4}(?::\d+(?::\d+)?|\(\d+,\d+\)): .{1,300})$/m;

function compilerHint(log: string): string | undefined {
  const line = COMPILER_LINE.exec(log)?.[1];
  return line === undefined ? undefined : `The first thing that does not compile: ${line}`;
}

function blameOf(exit: ExitReport): 'candidate' | 'limit' {
  return ['oom', 'pids', 'timeout', 'disk'].includes(exit.cause) ? 'limit' : 'candidate';
}

function describeNotReady(
  last: ProbeResult,
  listeners: Listener[],
  rule: ReadyRule,
): { message: string; hint?: string } {
  const within = formatMs(rule.withinMs);
  const url = `GET ${rule.path} on port ${rule.port}`;
  if (last.kind === 'answered') {
    return {
      message: `The service answered ${last.status} to ${url} for ${within}; a 2xx status was expected.`,
      hint: `Answer ${rule.path} with 200 once the service can do its work.`,
    };
  }
  if (last.kind === 'bad-answer') {
    return { message: `The service answered ${url} with something that is not HTTP: ${last.detail}.` };
  }
  if (last.kind === 'timeout') {
    return { message: `The service accepted the connection but did not answer ${url} within ${within}.` };
  }
  const ports = [...new Set(listeners.map((listener) => listener.port))];
  if (ports.length === 0) {
    return {
      message: `The service ran but never opened a port within ${within}; port ${rule.port} was expected.`,
      hint: `Listen on the port given in $PORT (${rule.port}).`,
    };
  }
  return {
    message: `The service opened port ${ports.join(', ')} but not port ${rule.port}, where it was expected within ${within}.`,
    hint: `Listen on the port given in $PORT (${rule.port}).`,
  };
}

const LOG_HINTS: readonly [RegExp, string][] = [
  [
    /spawn \S+ EAGAIN|Resource temporarily unavailable|can't start new thread|pthread_create/,
    'The service met its limit of processes and threads.',
  ],
  [
    /EROFS|[Rr]ead-only file system/,
    'The working directory is read-only at run time. Keep state in the data directory of the challenge, temporary files in $TMPDIR.',
  ],
  [
    /EADDRINUSE|Address already in use/,
    'The port was already taken by another process of the service itself.',
  ],
  [
    /EACCES|Permission denied|PermissionError/,
    'The service runs as an ordinary user and may only write to the data directory and $TMPDIR.',
  ],
  [
    /Cannot find (module|package)|ModuleNotFoundError|ImportError/,
    'A package is missing: is it named in the manifest, outside the development dependencies?',
  ],
  [
    /ENOSPC|No space left on device/,
    'The data directory and $TMPDIR have a fixed size, given in the challenge.',
  ],
  [/EMFILE|Too many open files/, 'The service met its limit of open files.'],
  [
    /ENOTFOUND|EAI_AGAIN|ENETUNREACH|Temporary failure in name resolution/,
    'The service has no network beyond its own run: no internet, no DNS.',
  ],
];

function logHint(text: string): string | undefined {
  const recent = text.slice(-LOG_TAIL_CHARS);
  return LOG_HINTS.find(([pattern]) => pattern.test(recent))?.[1];
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>);
}
