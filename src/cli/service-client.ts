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
  /** Sends a file, under one idempotency key until it is taken: the service may be busy, or away for a moment. */
  upload(order: UploadOrder, signal: AbortSignal): Promise<unknown>;
  /** Hands over events until `end`, over broken connections and restarts of the service too. */
  follow(path: string, onEvent: (event: StreamEvent) => void, signal: AbortSignal): Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;
/** How often in a row a call may fail that a restart of the service, or its limits, would explain. */
const TRIES = 20;
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

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
      // Asking again changes nothing; anything else may have been done before its answer was lost.
      const tries = method === 'GET' ? TRIES : 1;
      const response = await checked(await sendPatiently(() => send(path, init), tries));
      return response.status === 204 ? undefined : await response.json();
    },
    text: async (path) => (await checked(await send(path, {}))).text(),
    upload: async (order, signal) => {
      const key = randomUUID();
      const response = await sendPatiently(
        () => send(order.path, { ...uploadRequest(order, key), signal }),
        TRIES,
        signal,
      );
      return await (await checked(response)).json();
    },
    follow: async (path, onEvent, signal) => {
      let lastId: string | undefined;
      for (let attempt = 1; attempt <= TRIES; attempt += 1) {
        const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
        const response = await checked(
          await sendPatiently(() => send(path, { headers, signal }), TRIES, signal),
        );
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

/** Sends a call again, when the service asks for patience or is away, until it has been tried so often. */
async function sendPatiently(
  send: () => Promise<Response>,
  tries: number,
  signal?: AbortSignal,
): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await send().catch((error: unknown) => {
      if (attempt < tries && error instanceof AssayError && error.code === 'SERVICE_UNREACHABLE') {
        return undefined;
      }
      throw error;
    });
    const busy = response?.status === 429 || response?.status === 503;
    if (response !== undefined && (!busy || attempt === tries)) {
      return response;
    }
    const seconds = Number(response?.headers.get('retry-after'));
    await response?.body?.cancel();
    const waitMs = seconds > 0 ? Math.min(seconds * 1000, LONGEST_PAUSE_MS) : PAUSE_MS;
    await sleep(waitMs, undefined, signal && { signal });
  }
}

function uploadRequest(order: UploadOrder, key: string): RequestInit & { duplex: 'half' } {
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
    headers: { 'idempotency-key': key, 'content-type': `multipart/form-data; boundary=${boundary}` },
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
