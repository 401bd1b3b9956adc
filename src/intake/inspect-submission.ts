import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { InfraError, IntakeError } from '../domain/errors.ts';
import type { CanonicalSubmission } from '../domain/submission.ts';
import type { InspectRequest } from './inspect-protocol.ts';
import { DEFAULT_INTAKE_LIMITS, type IntakeLimits } from './limits.ts';
import { type ReceivedAnswer, readAnswer } from './read-answer.ts';
import { guardReader } from './reader-guard.ts';
import { readerProgram } from './reader-program.ts';
import { isRefusalCode } from './refusals.ts';

type Reader = ChildProcessByStdio<Writable, Readable, Readable>;

const MIB = 1024 ** 2;
const KEPT_STDERR_BYTES = 4096;

/**
 * Reads a directory, .zip, .tar or .tar.gz and returns it as one canonical tar. The bytes are parsed in a
 * process of its own, under the memory and time limits; nothing is written to disk. `limits` overrides the
 * defaults one by one. When this returns or throws, the process is gone.
 *
 * Throws IntakeError (codes in refusals.ts) when the submission is refused; InfraError INTAKE_CRASHED when
 * the process died or broke its memory limit, INTAKE_TIMEOUT past its deadline: both may be tried again.
 * Rejects with the signal's reason when aborted.
 */
export async function inspectSubmission(
  source: { path: string },
  limits: Partial<IntakeLimits>,
  signal: AbortSignal,
): Promise<CanonicalSubmission> {
  signal.throwIfAborted();
  const effective: IntakeLimits = { ...DEFAULT_INTAKE_LIMITS, ...limits };
  const program = await readerProgram();
  signal.throwIfAborted();
  const reader = startReader(program, { path: resolve(source.path), limits: effective });
  const guard = guardReader(reader, effective, signal);
  try {
    const [received, stderr, exit] = await Promise.all([
      takeAnswer(reader.stdout, effective),
      readTail(reader.stderr),
      waitForExit(reader),
    ]);
    guard.throwIfStopped();
    if (received === undefined || exit !== 'exit code 0') {
      throw crashed(exit, stderr);
    }
    return toSubmission(received);
  } finally {
    guard.stop();
  }
}

/** No environment is passed on: the process has no use for it, and it may hold secrets. */
function startReader(program: string, request: InspectRequest): Reader {
  const heapMiB = Math.max(1, Math.floor(request.limits.heapBytes / MIB));
  const args = [
    '--title=assay-reader',
    `--max-old-space-size=${heapMiB}`,
    '--input-type=module',
    '-',
    JSON.stringify(request),
  ];
  const reader = spawn(process.execPath, args, { stdio: 'pipe', env: {}, cwd: '/' });
  // One that could not start says so in an event, and an 'error' that nobody hears ends the process.
  reader.on('error', () => undefined);
  // Where no file may be opened any more it has no pipes either, whatever its type says.
  const stdin = reader.stdin as Writable | null | undefined;
  if (stdin === undefined || stdin === null) {
    throw new InfraError('INTAKE_CRASHED', 'The process that reads submissions could not be started.', {
      mend: 'Try again later.',
    });
  }
  // One that ends before it has read its program is told by its exit.
  stdin.on('error', () => undefined).end(program);
  return reader;
}

/** Closing its end of the pipe makes a process that still writes stop. Never rejects. */
async function takeAnswer(stdout: Readable, limits: IntakeLimits): Promise<ReceivedAnswer | undefined> {
  try {
    return await readAnswer(stdout, limits);
  } catch {
    return undefined;
  } finally {
    stdout.destroy();
  }
}

/** How the process ended, for people. Never rejects: a process that could not start has ended too. */
async function waitForExit(reader: Reader): Promise<string> {
  try {
    const [code, killedBy] = (await once(reader, 'close')) as [number | null, string | null];
    return code === null ? `signal ${killedBy ?? 'unknown'}` : `exit code ${code}`;
  } catch (error) {
    return error instanceof Error ? error.message : 'it did not start';
  }
}

/** The last bytes of a stream as text. Never rejects. */
async function readTail(stream: Readable): Promise<string> {
  let tail = Buffer.alloc(0);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      tail = Buffer.concat([tail, chunk]).subarray(-KEPT_STDERR_BYTES);
    }
  } catch {
    // What came before the stream broke is all there is.
  }
  return tail.toString('utf8');
}

function crashed(exit: string, stderr: string): Error {
  return new InfraError('INTAKE_CRASHED', `The process that reads submissions ended early: ${exit}.`, {
    mend: 'Try again; if it happens again, report it with the submission.',
    ...(stderr === '' ? {} : { cause: new Error(stderr) }),
  });
}

function toSubmission({ answer, tar }: ReceivedAnswer): CanonicalSubmission {
  if (answer.outcome === 'accepted') {
    const digest = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
    return { digest, tar, files: answer.files, notices: answer.notices };
  }
  if (!isRefusalCode(answer.code)) {
    throw crashed(`unknown code ${answer.code}`, '');
  }
  throw new IntakeError(answer.code, answer.message, answer.mend === undefined ? {} : { mend: answer.mend });
}
