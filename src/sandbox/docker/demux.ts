import { Writable } from 'node:stream';
import { InfraError } from '../../domain/errors.ts';
import type { Pace } from './pace.ts';

const HEADER_BYTES = 8;

/** Takes payload. A returned promise holds further reading back until it resolves. */
export type FrameSink = (payload: Buffer) => Promise<void> | undefined;

export interface DemuxOptions {
  stdout: FrameSink;
  stderr: FrameSink;
  /** Bounds the rate of reading, headers included. */
  pace?: Pace;
}

/**
 * Splits the engine's multiplexed attach stream (8-byte header: stream, three zero bytes, big-endian length).
 * Iterative, so that a chunk of thousands of tiny frames is no deeper than one of a single frame; payload is
 * passed on as it arrives, so that a huge frame is never held; nothing but a partial header is ever buffered.
 * A header that is none ends the stream with an InfraError.
 */
export class Demux extends Writable {
  readonly #options: DemuxOptions;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerFill = 0;
  #payloadLeft = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DemuxOptions) {
    super({ highWaterMark: 64 * 1024 });
    this.#options = options;
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#consume(chunk).then(() => this.#afterPace(chunk.length, callback), callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    callback(error);
  }

  async #consume(chunk: Buffer): Promise<void> {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#payloadLeft === 0) {
        offset += this.#readHeader(chunk, offset);
        continue;
      }
      const end = Math.min(chunk.length, offset + this.#payloadLeft);
      const sink = this.#header[0] === 2 ? this.#options.stderr : this.#options.stdout;
      this.#payloadLeft -= end - offset;
      const wait = sink(chunk.subarray(offset, end));
      offset = end;
      if (wait) {
        await wait;
      }
    }
  }

  #readHeader(chunk: Buffer, offset: number): number {
    const taken = chunk.copy(
      this.#header,
      this.#headerFill,
      offset,
      offset + HEADER_BYTES - this.#headerFill,
    );
    this.#headerFill += taken;
    if (this.#headerFill === HEADER_BYTES) {
      this.#headerFill = 0;
      if ((this.#header[0] ?? 255) > 2 || this.#header.readUIntBE(1, 3) !== 0) {
        throw new InfraError('ENGINE_STREAM', 'the container engine sent output that is not multiplexed');
      }
      this.#payloadLeft = this.#header.readUInt32BE(4);
    }
    return taken;
  }

  #afterPace(bytes: number, callback: () => void): void {
    const waitMs = this.#options.pace?.take(bytes) ?? 0;
    if (waitMs === 0) {
      callback();
    } else {
      this.#timer = setTimeout(callback, waitMs);
    }
  }
}
