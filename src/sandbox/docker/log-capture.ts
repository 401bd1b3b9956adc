import { formatBytes } from '../../domain/units.ts';
import type { LogCapture } from '../sandbox-engine.ts';
import { Pace } from './pace.ts';

const HEAD_BYTES = 512 * 1024;
const TAIL_BYTES = 512 * 1024;

/** Keeps the head and the tail of an endless output in bounded memory: 1 MiB in all. */
export class LogSink {
  /** Shared by all lives of a container, so that a crash loop gets no fresh burst each time. */
  readonly pace: Pace;
  #head = Buffer.alloc(0);
  #headFill = 0;
  #tail: Buffer | undefined;
  /** Bytes that went past the head; the ring's write position is this modulo its size. */
  #pastHead = 0;

  constructor(pace: Pace = new Pace()) {
    this.pace = pace;
  }

  /** Takes output. Never refuses and never grows past its cap. */
  write(chunk: Buffer): void {
    const headed = this.#writeHead(chunk);
    if (headed < chunk.length) {
      this.#writeTail(chunk.subarray(headed));
    }
  }

  /** What was kept so far. Bytes that are no UTF-8 become replacement characters. */
  capture(): LogCapture {
    const droppedBytes = Math.max(0, this.#pastHead - TAIL_BYTES);
    const marker =
      droppedBytes === 0 ? '' : `\n[assay: ${formatBytes(droppedBytes)} of output left out here]\n`;
    const head = this.#head.subarray(0, this.#headFill);
    return {
      text:
        droppedBytes === 0
          ? Buffer.concat([head, this.#orderedTail()]).toString('utf8')
          : head.toString('utf8') + marker + this.#orderedTail().toString('utf8'),
      totalBytes: this.#headFill + this.#pastHead,
      truncated: droppedBytes > 0,
      throttled: this.pace.throttled,
    };
  }

  #writeHead(chunk: Buffer): number {
    const taken = Math.min(chunk.length, HEAD_BYTES - this.#headFill);
    if (taken === 0) {
      return 0;
    }
    if (this.#headFill + taken > this.#head.length) {
      const grown = Buffer.alloc(Math.min(HEAD_BYTES, Math.max(4096, 2 * (this.#headFill + taken))));
      this.#head.copy(grown, 0, 0, this.#headFill);
      this.#head = grown;
    }
    chunk.copy(this.#head, this.#headFill, 0, taken);
    this.#headFill += taken;
    return taken;
  }

  #writeTail(chunk: Buffer): void {
    this.#tail ??= Buffer.alloc(TAIL_BYTES);
    const kept = chunk.subarray(Math.max(0, chunk.length - TAIL_BYTES));
    const start = (this.#pastHead + chunk.length - kept.length) % TAIL_BYTES;
    const first = kept.copy(this.#tail, start);
    if (first < kept.length) {
      kept.copy(this.#tail, 0, first);
    }
    this.#pastHead += chunk.length;
  }

  #orderedTail(): Buffer {
    if (!this.#tail) {
      return Buffer.alloc(0);
    }
    if (this.#pastHead <= TAIL_BYTES) {
      return this.#tail.subarray(0, this.#pastHead);
    }
    const start = this.#pastHead % TAIL_BYTES;
    return Buffer.concat([this.#tail.subarray(start), this.#tail.subarray(0, start)]);
  }
}
