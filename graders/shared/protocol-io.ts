import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import {
  ControlReplySchema,
  GraderInputSchema,
  PROTOCOL_LIMITS,
  type ControlAction,
  type ControlReply,
  type GraderEvent,
  type GraderInput,
  type SpecError,
} from '../../src/domain/grader-protocol.ts';

/** The input line carries the whole plan; anything longer than this is not ours. */
const MAX_INPUT_LINE_CHARS = 32 * 1024 * 1024;

/** A grader's side of the protocol: one input, events out, control requests with their replies. */
export class Protocol {
  readonly input: GraderInput;
  readonly #lines: AsyncIterator<string>;
  readonly #stdin: Readable;
  readonly #stdout: Writable;
  readonly #waiting = new Map<string, (reply: ControlReply) => void>();
  #controls = 0;
  #writtenBytes = 0;
  #hostGone = false;

  constructor(input: GraderInput, lines: AsyncIterator<string>, stdin: Readable, stdout: Writable) {
    this.input = input;
    this.#lines = lines;
    this.#stdin = stdin;
    this.#stdout = stdout;
    void this.#readReplies();
  }

  /** Writes one event; resolves when the host has taken enough of what was written before. */
  async emit(event: GraderEvent): Promise<void> {
    const line = toLine(event);
    const bytes = Buffer.byteLength(line);
    if (this.#writtenBytes + bytes > PROTOCOL_LIMITS.totalBytes) {
      throw new Error(`the grader's output would pass ${PROTOCOL_LIMITS.totalBytes} bytes`);
    }
    this.#writtenBytes += bytes;
    if (!this.#stdout.write(line)) {
      await once(this.#stdout, 'drain');
    }
  }

  /**
   * Asks the host to act on the service and waits for the reply. Requests may overlap. Never rejects for what
   * the service does; a host that went away, and an abort, are replies with `ok: false`.
   */
  async control(
    action: ControlAction,
    options: { graceMs?: number } = {},
    signal?: AbortSignal,
  ): Promise<ControlReply> {
    this.#controls += 1;
    const id = `c${this.#controls}`;
    if (this.#hostGone) {
      return { id, ok: false, error: 'the host no longer answers' };
    }
    const replied = new Promise<ControlReply>((resolve) => {
      this.#waiting.set(id, resolve);
    });
    const giveUp = (): void =>
      this.#settle({ id, ok: false, error: `"${action}" was given up: out of time` });
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await this.emit({ event: 'control', id, action, ...options });
      return await replied;
    } finally {
      signal?.removeEventListener('abort', giveUp);
      this.#waiting.delete(id);
    }
  }

  /** Says `done`, waits until everything is written, and lets the process end. */
  async done(inconclusive?: string, specError?: SpecError): Promise<void> {
    await this.emit({
      event: 'done',
      ...(inconclusive === undefined ? {} : { inconclusive }),
      ...(specError === undefined ? {} : { specError }),
    });
    await new Promise<void>((resolve) => {
      this.#stdout.write('', () => resolve());
    });
    this.#stdin.destroy();
  }

  async #readReplies(): Promise<void> {
    try {
      for (let next = await this.#lines.next(); !next.done; next = await this.#lines.next()) {
        this.#settle(ControlReplySchema.parse(JSON.parse(next.value)));
      }
    } catch {
      // An unreadable line or a broken pipe: the host is gone as far as this grader can tell.
    }
    this.#hostGone = true;
    for (const id of this.#waiting.keys()) {
      this.#settle({ id, ok: false, error: 'the host no longer answers' });
    }
  }

  #settle(reply: ControlReply): void {
    this.#waiting.get(reply.id)?.(reply);
    this.#waiting.delete(reply.id);
  }
}

/** Reads the input line. Rejects with a plain message when there is none or it has another shape. */
export async function openProtocol(stdin: Readable, stdout: Writable): Promise<Protocol> {
  const lines = readLines(stdin);
  const first = await lines.next();
  if (first.done) {
    throw new Error('no input line came on stdin; see graders/README.md');
  }
  const input = GraderInputSchema.parse(JSON.parse(first.value));
  return new Protocol(input, lines, stdin, stdout);
}

/** A check whose evidence does not fit a line goes without it rather than not at all. */
function toLine(event: GraderEvent): string {
  const line = `${JSON.stringify(event)}\n`;
  if (Buffer.byteLength(line) <= PROTOCOL_LIMITS.lineBytes) {
    return line;
  }
  if (event.event !== 'check' || event.check.evidence === undefined) {
    throw new Error(`a "${event.event}" event is longer than ${PROTOCOL_LIMITS.lineBytes} bytes`);
  }
  const { evidence: _tooLong, ...check } = event.check;
  return `${JSON.stringify({ event: 'check', check })}\n`;
}

async function* readLines(stdin: Readable): AsyncGenerator<string, undefined> {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  for await (const chunk of stdin) {
    const lines = (pending + decoder.write(chunk as Buffer)).split('\n');
    pending = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
    if (pending.length > MAX_INPUT_LINE_CHARS) {
      throw new Error(`an input line is longer than ${MAX_INPUT_LINE_CHARS} characters`);
    }
  }
  if (pending.trim() !== '') {
    yield pending;
  }
  return undefined;
}
