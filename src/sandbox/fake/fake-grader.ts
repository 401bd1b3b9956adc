import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import type { ExitReport } from '../../domain/exit-report.ts';
import { InfraError } from '../../domain/errors.ts';
import { LogSink } from '../docker/log-capture.ts';
import type { GraderProcess, GraderSpec, LogCapture } from '../sandbox-engine.ts';
import { FakeLife } from './fake-life.ts';
import type { FakeGraderIo, FakeScript } from './fake-script.ts';

const CRASH_EXIT = 1;

/** A grader whose program is a script. An error thrown by the script is printed to stderr and ends it with 1. */
export class FakeGrader implements GraderProcess {
  readonly #out = new PassThrough({ highWaterMark: 256 * 1024 });
  readonly #log = new LogSink();
  readonly #life: FakeLife;
  readonly #lines: string[] = [];
  #wake: () => void = () => undefined;

  constructor(spec: GraderSpec, script: FakeScript) {
    this.#life = new FakeLife(spec.limits);
    this.#life.signal.addEventListener('abort', () => {
      this.#wake();
      this.#out.end();
    });
    void this.#run(script, spec);
  }

  get stdout(): Readable {
    return this.#out;
  }

  send(line: string): Promise<void> {
    if (!this.#life.running) {
      return Promise.reject(new InfraError('GRADER_INPUT', 'the grader no longer reads its input'));
    }
    this.#lines.push(line);
    this.#wake();
    return Promise.resolve();
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

  async #run(script: FakeScript, spec: GraderSpec): Promise<void> {
    try {
      const exitCode = (await script.grader?.(this.#io(), spec)) ?? 0;
      this.#life.finish({ exitCode });
    } catch (error) {
      this.#log.write(Buffer.from(String(error)));
      this.#life.finish({ exitCode: CRASH_EXIT });
    }
  }

  #io(): FakeGraderIo {
    return {
      signal: this.#life.signal,
      readLine: () => this.#readLine(),
      emit: (line) => this.#emit(typeof line === 'string' ? line : JSON.stringify(line)),
      stderr: (text) => this.#log.write(Buffer.from(text)),
    };
  }

  async #readLine(): Promise<string | undefined> {
    while (this.#lines.length === 0 && this.#life.running) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#lines.shift();
  }

  async #emit(line: string): Promise<void> {
    if (this.#life.running && !this.#out.write(`${line}\n`)) {
      await once(this.#out, 'drain', { signal: this.#life.signal }).catch(() => undefined);
    }
  }
}
