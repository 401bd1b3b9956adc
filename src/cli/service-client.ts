import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { AssayError, InfraError } from '../domain/errors.ts';

export interface ServiceAddress {
  url: string;
  token: string;
}

export interface UploadOrder {
  path: string;
  field: string;
  fileName: string;
  content: Buffer;
  headers?: Record<string, string>;
  onProgress?: (sentBytes: number) => void;
}

export interface StreamEvent {
  event: string;
  data: Record<string, unknown>;
}

/** Calls of the service, as a person with a token makes them. */
export interface ServiceClient {
  /** Sends JSON and answers JSON. Throws AssayError with the service's code and words. */
  call(method: string, path: string, body?: object): Promise<unknown>;
  text(path: string): Promise<string>;
  /** Sends a file; when the service is busy, waits as it asks and tries again. */
  upload(order: UploadOrder, signal: AbortSignal): Promise<unknown>;
  /** Hands over events until `end`, over broken connections too. */
  follow(path: string, onEvent: (event: StreamEvent) => void, signal: AbortSignal): Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;
const UPLOAD_TRIES = 6;
const FOLLOW_TRIES = 20;
const PAUSE_MS = 1000;

const ProblemDocument = z.object({
  code: z.string(),
  detail: z.string(),
  mend: z.string().optional(),
  problems: z
    .array(z.object({ file: z.string(), line: z.number().optional(), message: z.string() }))
    .optional(),
});

/** A client for the service at `url` with one token. */
export function makeServiceClient({ url, token }: ServiceAddress): ServiceClient {
  const base = url.replace(/\/+$/, '');
  const authorization = `Bearer ${token}`;

  async function send(path: string, init: RequestInit & { duplex?: 'half' }): Promise<Response> {
    try {
      const headers = { authorization, ...(init.headers as Record<string, string> | undefined) };
      return await fetch(`${base}${path}`, { ...init, headers, redirect: 'error' });
    } catch (error) {
      init.signal?.throwIfAborted();
      throw unreachable(base, error);
    }
  }

  async function checked(response: Response): Promise<Response> {
    if (!response.ok) {
      throw await toError(response);
    }
    return response;
  }

  return {
    call: async (method, path, body) => {
      const init =
        body === undefined
          ? { method }
          : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await checked(await send(path, init));
      return response.status === 204 ? undefined : await response.json();
    },
    text: async (path) => (await checked(await send(path, {}))).text(),
    upload: async (order, signal) => {
      for (let attempt = 1; ; attempt += 1) {
        const response = await send(order.path, { ...uploadRequest(order), signal });
        const wait = Number(response.headers.get('retry-after'));
        if (response.status !== 503 || attempt === UPLOAD_TRIES || !(wait > 0)) {
          return await (await checked(response)).json();
        }
        await response.body?.cancel();
        await sleep(wait * 1000, undefined, { signal });
      }
    },
    follow: async (path, onEvent, signal) => {
      let lastId: string | undefined;
      for (let attempt = 1; attempt <= FOLLOW_TRIES; attempt += 1) {
        const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
        const response = await checked(await send(path, { headers, signal }));
        const reading = await readEvents(response, onEvent, signal);
        if (reading.ended) {
          return;
        }
        // Whoever makes headway may be interrupted as often as it takes.
        attempt = reading.lastId === undefined ? attempt : 0;
        lastId = reading.lastId ?? lastId;
        await sleep(PAUSE_MS, undefined, { signal });
      }
      throw new InfraError('EVENTS_LOST', 'the service keeps breaking off its events');
    },
  };
}

function uploadRequest(order: UploadOrder): RequestInit & { duplex: 'half' } {
  const boundary = `assay-${randomUUID()}`;
  const head =
    `--${boundary}\r\ncontent-disposition: form-data; name="${order.field}"; filename="${order.fileName}"\r\n` +
    'content-type: application/octet-stream\r\n\r\n';
  async function* body(): AsyncGenerator<Buffer> {
    yield Buffer.from(head);
    for (let sent = 0; sent < order.content.length; sent += CHUNK_BYTES) {
      yield order.content.subarray(sent, sent + CHUNK_BYTES);
      order.onProgress?.(Math.min(order.content.length, sent + CHUNK_BYTES));
    }
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }
  return {
    method: 'POST',
    headers: { ...order.headers, 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Readable.toWeb(Readable.from(body())) as ReadableStream<Uint8Array>,
    duplex: 'half',
  };
}

async function readEvents(
  response: Response,
  onEvent: (event: StreamEvent) => void,
  signal: AbortSignal,
): Promise<{ ended: boolean; lastId: string | undefined }> {
  const decoder = new TextDecoder();
  let buffered = '';
  let lastId: string | undefined;
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      buffered += decoder.decode(chunk, { stream: true });
      const blocks = buffered.split('\n\n');
      buffered = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = readFields(block);
        lastId = fields.get('id') ?? lastId;
        const event = fields.get('event');
        if (event !== undefined) {
          onEvent({ event, data: JSON.parse(fields.get('data') ?? '{}') as Record<string, unknown> });
        }
        if (event === 'end') {
          return { ended: true, lastId };
        }
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SyntaxError) {
      throw error;
    }
  }
  return { ended: false, lastId };
}

function readFields(block: string): Map<string, string> {
  const pairs = block.split('\n').flatMap((line): [string, string][] => {
    const colon = line.indexOf(': ');
    return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 2)]] : [];
  });
  return new Map(pairs);
}

async function toError(response: Response): Promise<AssayError> {
  const text = await response.text().catch(() => '');
  const parsed = ProblemDocument.safeParse(parseJson(text));
  if (!parsed.success) {
    return new InfraError(
      'NOT_ASSAY',
      `the address answered ${response.status} with something that is not assay's`,
      {
        mend: 'check --url',
      },
    );
  }
  const { code, detail, mend, problems = [] } = parsed.data;
  const places = problems.map(
    ({ file, line, message }) => `\n  ${file}${line ? `:${line}` : ''}: ${message}`,
  );
  const message = `${detail}${places.join('')}`;
  const options = mend === undefined ? {} : { mend };
  return response.status >= 500
    ? new InfraError(code, message, options)
    : new AssayError(code, 'candidate', message, options);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(base: string, error: unknown): AssayError {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new InfraError('SERVICE_UNREACHABLE', `the service at ${base} cannot be reached${code}`, {
    mend: 'check --url and that the service runs',
    cause: error,
  });
}
