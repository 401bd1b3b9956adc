import type { ExitReport } from '../../domain/exit-report.ts';
import { InfraError } from '../../domain/errors.ts';
import { packTar } from '../../shared/tar-buffer.ts';
import type { BuildPlan, LogCapture } from '../sandbox-engine.ts';
import { watchDisk } from './build-disk-watch.ts';
import { toExitReport } from './exit-report.ts';
import type { Container } from './container.ts';
import type { DockerClient } from './docker-client.ts';
import { LogSink } from './log-capture.ts';
import { PidsWatch } from './pids-watch.ts';
import { initFailure } from './start-failure.ts';

/** Where the certificates lie during a build: in a volume, so that no image ever holds them. */
export const CA_FOLDER = '/input';
const CA_NAME = 'ca.pem';
const LIVE_LOG_BYTES = 1024 ** 2;

/** How the command of a step ended, and what it printed. */
export interface StepResult {
  exit: ExitReport;
  log: LogCapture;
}

/** Variables that make npm, node, pip and OpenSSL trust the certificates in `CA_FOLDER`. */
export function caEnv(): Record<string, string> {
  const path = `${CA_FOLDER}/${CA_NAME}`;
  return {
    NPM_CONFIG_CAFILE: path,
    NODE_EXTRA_CA_CERTS: path,
    PIP_CERT: path,
    SSL_CERT_FILE: path,
    REQUESTS_CA_BUNDLE: path,
  };
}

/** The certificates as an archive for `CA_FOLDER`. */
export function packCa(bundle: Buffer): Buffer {
  return packTar([{ path: CA_NAME, type: 'file', executable: false, content: bundle }]);
}

/**
 * Runs a created container's command to its end within the plan's limits: ended with `timeout` at its wall time, with
 * `disk` when its root grows past the limit. Throws InfraError or the signal's reason; the caller removes it.
 */
export async function runStep(
  client: DockerClient,
  container: Container,
  plan: BuildPlan,
  signal: AbortSignal,
): Promise<StepResult> {
  const sink = new LogSink();
  const pids = new PidsWatch(plan.limits.pids, () => container.stats());
  const take = liveLog(sink, plan.onLog);
  const life = await container.start(
    {
      stdin: false,
      stdout: take,
      stderr: take,
      pace: sink.pace,
      drain: true,
      wallMs: plan.limits.wallMs,
      onEnd: () => pids.stop(),
      facts: (exitCode) => {
        const startError = initFailure(exitCode, () => sink.capture().text);
        return {
          pidsLimitHit: pids.limitHit,
          limits: plan.limits,
          ...(startError === undefined ? {} : { startError }),
        };
      },
    },
    signal,
  );
  pids.start();
  const ended = new AbortController();
  const watching = watchDisk(() => writtenBytes(client, container.name), plan.limits.diskBytes, ended.signal);
  try {
    const overLimit = watching.then((over) => (over ? life.end('disk', 0) : life.exit()));
    const exit = await Promise.race([life.exit(), overLimit, rejectOnAbort(signal, ended.signal)]);
    return { exit, log: sink.capture() };
  } finally {
    ended.abort();
    pids.stop();
    await watching.catch(() => undefined);
  }
}

/** The report of a step that ended well but left more than its limit. */
export function overDisk(plan: BuildPlan, wallMs: number): ExitReport {
  return toExitReport({
    exitCode: 0,
    oomKilled: false,
    pidsLimitHit: false,
    wallMs,
    requested: 'disk',
    limits: plan.limits,
  });
}

/** Bytes in the container's writable root. Throws InfraError. */
export async function writtenBytes(client: DockerClient, name: string): Promise<number> {
  const query: object = { size: true };
  const info = await client.call(
    'read the size of a build',
    // The types know neither the question nor its answer.
    (): Promise<object & { SizeRw?: number }> => client.api.getContainer(name).inspect(query),
  );
  const size = info.SizeRw;
  if (size === undefined) {
    throw new InfraError('ENGINE_ERROR', 'the container engine did not tell the size of a build');
  }
  return size;
}

function liveLog(sink: LogSink, onLog: BuildPlan['onLog']): (payload: Buffer) => undefined {
  let leftBytes = LIVE_LOG_BYTES;
  return (payload) => {
    sink.write(payload);
    if (leftBytes > 0) {
      onLog?.(payload.subarray(0, leftBytes).toString('utf8'));
      leftBytes -= payload.length;
    }
    return undefined;
  };
}

async function rejectOnAbort(signal: AbortSignal, done: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener('abort', () => resolve(), { once: true, signal: done });
  });
  throw signal.reason;
}
