import { headerLines, readFraming, readStatusLine } from './response-head.ts';
import type { Framing } from './response-head.ts';

/** Where the parser stands in a response. */
const STATE = {
  head: 0,
  lengthBody: 1,
  closeBody: 2,
  chunkSize: 3,
  chunkExtension: 4,
  chunkSizeEnd: 5,
  chunkData: 6,
  chunkEnd: 7,
  trailer: 8,
  complete: 9,
} as const;
type State = (typeof STATE)[keyof typeof STATE];

const MAX_HEAD_BYTES = 64 * 1024;
const MAX_CHUNK_EXTENSION_BYTES = 4096;
const MAX_TRAILER_BYTES = 16 * 1024;
const MAX_INFORMATIONAL = 16;
/** Sizes of up to 13 hex digits are exact in a JavaScript number. */
const MAX_CHUNK_DIGITS = 13;
const INITIAL_BODY_BYTES = 1024;

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const SEMICOLON = 0x3b;

/** `more` bytes are needed · the response is `complete` · it is `malformed` and `problem` says how. */
export type ParseOutcome = 'more' | 'complete' | 'malformed';

/**
 * Reads HTTP/1.1 responses from bytes that arrive in any pieces, one response after `begin`. Keeps the first
 * bytes of a body as far as asked and counts the rest. Reused for every response of a connection.
 */
export class ResponseParser {
  status = 0;
  /** Status line and header lines as they came, without the last empty line. */
  head = '';
  bodyBytes = 0;
  /** The connection may carry another request. */
  keepAlive = false;
  problem = '';
  /** Any byte of this response has arrived. */
  started = false;

  #state: State = STATE.complete;
  #noBody = false;
  #keepBytes = 0;
  #maxBodyBytes: number;
  #body = Buffer.allocUnsafe(INITIAL_BODY_BYTES);
  #kept = 0;
  #partialHead = '';
  #lastBytes = 0;
  #informational = 0;
  #remaining = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #trailerLineBytes = 0;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Makes ready for the next response. `isHead`: it answers a HEAD request and has no body. */
  begin(isHead: boolean, keepBytes: number): void {
    this.status = 0;
    this.head = '';
    this.bodyBytes = 0;
    this.keepAlive = false;
    this.problem = '';
    this.started = false;
    this.#state = STATE.head;
    this.#noBody = isHead;
    this.#keepBytes = keepBytes;
    this.#kept = 0;
    this.#partialHead = '';
    this.#lastBytes = 0;
    this.#informational = 0;
  }

  /** Takes `buffer[from, to)`. Bytes after the end of the response end the connection's use. */
  feed(buffer: Buffer, from: number, to: number): ParseOutcome {
    let at = from;
    this.started ||= to > from;
    while (at < to && this.#state !== STATE.complete) {
      at = this.#state === STATE.head ? this.#feedHead(buffer, at, to) : this.#feedBody(buffer, at, to);
      if (this.problem !== '') {
        this.keepAlive = false;
        return 'malformed';
      }
    }
    if (this.#state !== STATE.complete) {
      return 'more';
    }
    if (at < to) {
      this.keepAlive = false;
    }
    return 'complete';
  }

  /** The service closed the connection. */
  end(): ParseOutcome {
    if (this.#state === STATE.closeBody) {
      this.#state = STATE.complete;
      return 'complete';
    }
    this.keepAlive = false;
    this.problem = 'the connection was closed before the whole response had come';
    return 'malformed';
  }

  /** The kept part of the body as text; bytes that are not UTF-8 show as U+FFFD. */
  bodyText(): string {
    return this.#body.toString('utf8', 0, this.#kept);
  }

  get bodyKeptWhole(): boolean {
    return this.#kept === this.bodyBytes;
  }

  /** The value of a header (lower-case name), several joined by ", ", or undefined. */
  header(name: string): string | undefined {
    const values = headerLines(this.head).filter(([found]) => found.toLowerCase() === name);
    return values.length === 0 ? undefined : values.map(([, value]) => value).join(', ');
  }

  #feedHead(buffer: Buffer, from: number, to: number): number {
    let start = from;
    if (this.#partialHead === '') {
      while (start < to && (buffer[start] === CR || buffer[start] === LF)) {
        start += 1;
      }
    }
    // The last four bytes seen, as one number, tell the end of the head wherever the pieces were cut.
    let last = this.#lastBytes;
    for (let at = start; at < to; at += 1) {
      const byte = buffer[at] ?? 0;
      if (byte === LF && (last & 0xff) !== CR) {
        this.#fail('a header line ends without a carriage return');
        return to;
      }
      last = (last << 8) | byte | 0;
      if (last === 0x0d0a0d0a) {
        const head = this.#partialHead + buffer.toString('latin1', start, at + 1);
        this.#partialHead = '';
        this.#lastBytes = 0;
        this.#endHead(head.slice(0, -4));
        return at + 1;
      }
    }
    this.#lastBytes = last;
    this.#partialHead += buffer.toString('latin1', start, to);
    if (this.#partialHead.length > MAX_HEAD_BYTES) {
      this.#fail(`the response head is longer than ${MAX_HEAD_BYTES} bytes`);
    }
    return to;
  }

  #endHead(head: string): void {
    if (head.length > MAX_HEAD_BYTES) {
      this.#fail(`the response head is longer than ${MAX_HEAD_BYTES} bytes`);
      return;
    }
    const statusLine = readStatusLine(head);
    if (statusLine === undefined) {
      this.#fail(`not an HTTP/1.1 status line: ${JSON.stringify(head.slice(0, 60))}`);
      return;
    }
    if (statusLine.status < 200) {
      this.#informational += 1;
      if (statusLine.status === 101 || this.#informational > MAX_INFORMATIONAL) {
        this.#fail(`an informational response ${statusLine.status} that was not asked for`);
      }
      return;
    }
    this.status = statusLine.status;
    this.head = head;
    const framing = readFraming(head, statusLine.isHttp10);
    if (typeof framing === 'string') {
      this.#fail(framing);
      return;
    }
    this.keepAlive = framing.keepAlive;
    this.#chooseBody(framing);
  }

  #chooseBody(framing: Framing): void {
    if (this.#noBody || this.status === 204 || this.status === 304 || framing.length === 0) {
      this.#state = STATE.complete;
    } else if (framing.chunked) {
      this.#state = STATE.chunkSize;
      this.#remaining = 0;
      this.#digits = 0;
    } else if (framing.length === undefined) {
      this.#state = STATE.closeBody;
      this.keepAlive = false;
    } else if (framing.length > this.#maxBodyBytes) {
      this.#tooLong();
    } else {
      this.#state = STATE.lengthBody;
      this.#remaining = framing.length;
    }
  }

  #feedBody(buffer: Buffer, from: number, to: number): number {
    if (this.#state === STATE.lengthBody) {
      return this.#feedCounted(buffer, from, to, STATE.complete);
    }
    if (this.#state === STATE.chunkData) {
      return this.#feedCounted(buffer, from, to, STATE.chunkEnd);
    }
    if (this.#state === STATE.closeBody) {
      this.#take(buffer, from, to);
      return to;
    }
    this.#feedFraming(buffer[from] ?? 0);
    return from + 1;
  }

  /** One byte of what stands between chunks. */
  #feedFraming(byte: number): void {
    if (this.#state === STATE.chunkSize) {
      this.#feedChunkSize(byte);
    } else if (this.#state === STATE.chunkExtension) {
      this.#feedChunkExtension(byte);
    } else if (this.#state === STATE.chunkSizeEnd) {
      this.#feedChunkSizeEnd(byte);
    } else if (this.#state === STATE.chunkEnd) {
      this.#feedChunkEnd(byte);
    } else {
      this.#feedTrailer(byte);
    }
  }

  #feedCounted(buffer: Buffer, from: number, to: number, next: State): number {
    const end = Math.min(to, from + this.#remaining);
    this.#take(buffer, from, end);
    this.#remaining -= end - from;
    if (this.#remaining === 0) {
      this.#state = next;
      this.#digits = 0;
    }
    return end;
  }

  #take(buffer: Buffer, from: number, to: number): void {
    this.bodyBytes += to - from;
    if (this.bodyBytes > this.#maxBodyBytes) {
      this.#tooLong();
      return;
    }
    const wanted = Math.min(to - from, this.#keepBytes - this.#kept);
    if (wanted <= 0) {
      return;
    }
    if (this.#kept + wanted > this.#body.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#body.length * 2, this.#kept + wanted));
      this.#body.copy(larger, 0, 0, this.#kept);
      this.#body = larger;
    }
    buffer.copy(this.#body, this.#kept, from, from + wanted);
    this.#kept += wanted;
  }

  #feedChunkSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#digits += 1;
      this.#remaining = this.#remaining * 16 + digit;
      if (this.#digits > MAX_CHUNK_DIGITS) {
        this.#fail('a chunk size that is too long');
      }
    } else if (this.#digits === 0) {
      this.#fail('a chunk without a size');
    } else if (byte === CR || byte === SPACE || byte === TAB || byte === SEMICOLON) {
      this.#extensionBytes = 0;
      this.#state = byte === CR ? STATE.chunkSizeEnd : STATE.chunkExtension;
    } else {
      this.#fail('a chunk size that is not a number');
    }
  }

  #feedChunkExtension(byte: number): void {
    this.#extensionBytes += 1;
    if (byte === LF || this.#extensionBytes > MAX_CHUNK_EXTENSION_BYTES) {
      this.#fail('a chunk size line that does not end');
    } else if (byte === CR) {
      this.#state = STATE.chunkSizeEnd;
    }
  }

  #feedChunkSizeEnd(byte: number): void {
    if (byte !== LF) {
      this.#fail('a chunk size line that does not end');
      return;
    }
    this.#digits = 0;
    this.#trailerBytes = 0;
    this.#trailerLineBytes = 0;
    this.#state = this.#remaining === 0 ? STATE.trailer : STATE.chunkData;
  }

  #feedChunkEnd(byte: number): void {
    // Counts the two bytes of the line end that closes a chunk.
    if (byte !== (this.#digits === 0 ? CR : LF)) {
      this.#fail('a chunk that is longer than its size');
    }
    this.#digits += 1;
    if (byte === LF) {
      this.#digits = 0;
      this.#remaining = 0;
      this.#state = STATE.chunkSize;
    }
  }

  #feedTrailer(byte: number): void {
    this.#trailerBytes += 1;
    if (this.#trailerBytes > MAX_TRAILER_BYTES) {
      this.#fail(`trailers longer than ${MAX_TRAILER_BYTES} bytes`);
    } else if (byte === LF) {
      if (this.#trailerLineBytes === 0) {
        this.#state = STATE.complete;
      }
      this.#trailerLineBytes = 0;
    } else if (byte !== CR) {
      this.#trailerLineBytes += 1;
    }
  }

  #tooLong(): void {
    this.#fail(`the body is longer than ${this.#maxBodyBytes} bytes`);
  }

  #fail(problem: string): void {
    this.problem = problem;
  }
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) {
    return byte - 48;
  }
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
