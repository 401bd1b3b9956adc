import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import type { ExitReport } from '../../domain/exit-report.ts';
import { InfraError } from '../../domain/errors.ts';
import type { GraderProcess, GraderSpec, LogCapture } from '../sandbox-engine.ts';
import type { Container } from './container.ts';
import type { FrameSink } from './demux.ts';
import { LogSink } from './log-capture.ts';
import type { ProcessLife } from './process-life.ts';
import { initFailure } from './start-failure.ts';

const STDOUT_BUFFER_BYTES = 256 * 1024;

/** A grader's process with its standard streams. */
export class DockerGrader implements GraderProcess {
  readonly stdout: Readable;
  readonly #life: ProcessLife;
  readonly #log: LogSink;

  /** Starts the process of a created container. Errors as `Container.start`. */
  static async begin(container: Container, spec: GraderSpec, signal: AbortSignal): Promise<DockerGrader> {
    const log = new LogSink();
    const stdout = new PassThrough({ highWaterMark: STDOUT_BUFFER_BYTES });
    const { wallMs, memoryBytes, pids } = spec.limits;
    const life = await container.start(
      {
        stdin: true,
        stdout: toSink(stdout),
        stderr: (payload) => {
          log.write(payload);
          return undefined;
        },
        // Whoever reads stdout to its end has everything; an end that nobody reads to is no reason to wait.
        drain: false,
        wallMs,
        onOutputEnd: () => stdout.end(),
        facts: (exitCode) => {
          const startError = initFailure(exitCode, () => log.capture().text);
          return {
            pidsLimitHit: false,
            limits: { memoryBytes, pids, wallMs },
            ...(startError === undefined ? {} : { startError }),
          };
        },
      },
      signal,
    );
    return new DockerGrader(life, stdout, log);
  }

  private constructor(life: ProcessLife, stdout: Readable, log: LogSink) {
    this.#life = life;
    this.stdout = stdout;
    this.#log = log;
  }

  send(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#life.stdin.write(`${line}\n`, (error) => {
        if (error) {
          reject(new InfraError('GRADER_INPUT', 'the grader no longer reads its input', { cause: error }));
        } else {
          resolve();
        }
      });
    });
  }

  stderr(): LogCapture {
    return this.#log.capture();
  }

  exit(): Promise<ExitReport> {
    return this.#life.exit();
  }

  kill(): Promise<ExitReport> {
    return this.#life.end('killed', 0);
  }
}

/** Passes payload on with the reader's back-pressure; drops it once the reader has gone. */
function toSink(stdout: PassThrough): FrameSink {
  return (payload) => {
    if (stdout.destroyed || stdout.write(payload)) {
      return undefined;
    }
    const gone = new AbortController();
    const drained = Promise.race([
      once(stdout, 'drain', { signal: gone.signal }),
      once(stdout, 'close', { signal: gone.signal }),
    ]);
    return drained.then(
      () => gone.abort(),
      () => gone.abort(),
    );
  };
}
