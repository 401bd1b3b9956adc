/** Reads exact amounts from a stream of chunks. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Fills `target` as far as the stream goes and returns the number of bytes written to it. */
  async readInto(target: Buffer): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#rest.length === 0 && !(await this.#pull())) {
        break;
      }
      const copied = this.#rest.copy(target, filled);
      this.#rest = this.#rest.subarray(copied);
      filled += copied;
    }
    return filled;
  }

  /** The next chunk as it comes, or undefined at the end. */
  async readChunk(): Promise<Buffer | undefined> {
    if (this.#rest.length === 0 && !(await this.#pull())) {
      return undefined;
    }
    const chunk = this.#rest;
    this.#rest = Buffer.alloc(0);
    return chunk;
  }

  /** Lets the source release what it holds. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #pull(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done) {
      return false;
    }
    this.#rest = next.value;
    return true;
  }
}
