import http from 'node:http';
import net from 'node:net';
import type { HttpFailureKind, HttpLimits, HttpOutcome, HttpRequest, HttpResponse } from './http-types.ts';
import { decodeBody } from './decode-body.ts';

const MAX_HEADER_BYTES = 32 * 1024;
/** 1xx answers before the real one; more are a flood. */
const MAX_INFORMATIONAL = 20;
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

export interface Address {
  address: string;
  port: number;
}

/** Where an exchange gets its connection from. */
export type Connection =
  | { kind: 'new'; target: Address }
  | { kind: 'open'; socket: net.Socket }
  | { kind: 'pool'; agent: http.Agent; target: Address };

/** Connections that are kept and reused; one pool per check, so that nothing leaks into the next. */
export function makePool(): http.Agent {
  return new http.Agent({ keepAlive: true, maxFreeSockets: 500 });
}

/**
 * Opens a connection ahead of its request. Resolves to the outcome of a failed exchange when there is none
 * within the limit. Never rejects.
 */
export async function connect(
  target: Address,
  limits: HttpLimits,
  signal: AbortSignal,
): Promise<net.Socket | HttpOutcome> {
  const begin = performance.now();
  return await new Promise((resolve) => {
    const socket = net.connect({ host: target.address, port: target.port, noDelay: true });
    function fail(kind: HttpFailureKind, message: string): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve({ failure: { kind, message }, durationMs: performance.now() - begin });
    }
    function abort(): void {
      fail('TIMEOUT', outOfTime('no connection'));
    }
    const timer = setTimeout(() => {
      fail('TIMEOUT', `no connection within ${limits.connectTimeoutMs} ms`);
    }, limits.connectTimeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    // Stays for the life of the socket: an idle connection that breaks is seen by the exchange that uses it.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (socket.connecting || error.code === 'ECONNREFUSED') {
        fail(...describeError(error, false));
      }
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      resolve(socket);
    });
    if (signal.aborted) {
      abort();
    }
  });
}

/**
 * Sends one request and reads the whole answer, within time, size and header limits. Redirects are answers like
 * any other. Whatever the service does ends in an outcome; this never rejects for it.
 */
export async function exchange(
  request: HttpRequest,
  connection: Connection,
  limits: HttpLimits,
  signal: AbortSignal,
): Promise<HttpOutcome> {
  if (connection.kind !== 'new') {
    const outcome = await send(request, connection, limits, signal);
    return outcome === 'stale' ? await exchange(request, connection, limits, signal) : outcome;
  }
  const begin = performance.now();
  const socket = await connect(connection.target, limits, signal);
  if (!(socket instanceof net.Socket)) {
    return socket;
  }
  const outcome = await exchange(request, { kind: 'open', socket }, limits, signal);
  return { ...outcome, durationMs: performance.now() - begin };
}

/** State of one exchange on the wire. */
interface Flight {
  begin: number;
  request: http.ClientRequest;
  response: http.IncomingMessage | undefined;
  chunks: Buffer[];
  bodyBytes: number;
  informational: number;
}

async function send(
  request: HttpRequest,
  connection: Exclude<Connection, { kind: 'new' }>,
  limits: HttpLimits,
  signal: AbortSignal,
): Promise<HttpOutcome | 'stale'> {
  return await new Promise((resolve) => {
    const flight: Flight = {
      begin: performance.now(),
      request: http.request(requestOptions(request, connection)),
      response: undefined,
      chunks: [],
      bodyBytes: 0,
      informational: 0,
    };
    let ended = false;
    function end(outcome: HttpOutcome | 'stale'): void {
      if (ended) {
        return;
      }
      ended = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      if (outcome === 'stale' || outcome.failure) {
        flight.request.destroy();
      } else if (connection.kind === 'open') {
        connection.socket.destroy();
      }
      void finish(outcome, limits).then(resolve);
    }
    function fail(kind: HttpFailureKind, message: string): void {
      end({
        ...partialResponse(flight, true),
        failure: { kind, message },
        durationMs: performance.now() - flight.begin,
      });
    }
    function abort(): void {
      fail('TIMEOUT', outOfTime(flight.response ? 'the answer was not complete' : 'no answer'));
    }
    const timer = setTimeout(() => {
      const what = flight.response ? 'the answer was not complete' : 'no answer';
      fail('TIMEOUT', `${what} within ${limits.timeoutMs} ms`);
    }, limits.timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    watch(flight, {
      limits,
      end,
      fail,
      retryable: connection.kind === 'pool' && IDEMPOTENT.has(request.method),
    });
    flight.request.end(request.body);
    if (signal.aborted) {
      abort();
    }
  });
}

interface Watch {
  limits: HttpLimits;
  end: (outcome: HttpOutcome | 'stale') => void;
  fail: (kind: HttpFailureKind, message: string) => void;
  /** A kept connection that the service had closed may be replaced once. */
  retryable: boolean;
}

function watch(flight: Flight, { limits, end, fail, retryable }: Watch): void {
  flight.request.on('error', (error: NodeJS.ErrnoException) => {
    if (retryable && flight.request.reusedSocket && !flight.response && error.code === 'ECONNRESET') {
      end('stale');
    } else {
      fail(...describeError(error, flight.response !== undefined));
    }
  });
  flight.request.on('information', () => {
    flight.informational += 1;
    if (flight.informational > MAX_INFORMATIONAL) {
      fail('BAD_HTTP', `more than ${MAX_INFORMATIONAL} informational (1xx) answers came before the real one`);
    }
  });
  flight.request.on('upgrade', (response, socket) => {
    socket.destroy();
    flight.response = response;
    fail('BAD_HTTP', 'the service switched protocols (101) though nobody had asked for it');
  });
  flight.request.on('response', (response) => {
    flight.response = response;
    response.on('data', (chunk: Buffer) => {
      const room = limits.maxBodyBytes - flight.bodyBytes;
      flight.bodyBytes += chunk.length;
      flight.chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      if (chunk.length > room) {
        fail('BODY_TOO_LARGE', `the body is larger than ${limits.maxBodyBytes} bytes`);
      }
    });
    response.on('error', (error: NodeJS.ErrnoException) => fail(...describeError(error, true)));
    response.on('end', () =>
      end({ ...partialResponse(flight, false), durationMs: performance.now() - flight.begin }),
    );
  });
}

function requestOptions(
  request: HttpRequest,
  connection: Exclude<Connection, { kind: 'new' }>,
): http.RequestOptions {
  return {
    method: request.method,
    path: request.path,
    // A flat list keeps order, case and repetition. The types know only the record form.
    headers: request.headers.flat() as unknown as http.OutgoingHttpHeaders,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    setHost: false,
    ...(connection.kind === 'pool'
      ? { agent: connection.agent, host: connection.target.address, port: connection.target.port }
      : { createConnection: () => connection.socket }),
  };
}

function partialResponse(flight: Flight, bodyTruncated: boolean): { response?: HttpResponse } {
  if (!flight.response) {
    return {};
  }
  const { rawHeaders, statusCode = 0 } = flight.response;
  const headers: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  return { response: { status: statusCode, headers, body: Buffer.concat(flight.chunks), bodyTruncated } };
}

async function finish(outcome: HttpOutcome | 'stale', limits: HttpLimits): Promise<HttpOutcome | 'stale'> {
  if (outcome === 'stale' || outcome.failure || !outcome.response || !limits.decompress) {
    return outcome;
  }
  const decoded = await decodeBody(outcome.response, limits.maxBodyBytes);
  return decoded.ok
    ? { ...outcome, response: { ...outcome.response, body: decoded.body } }
    : { ...outcome, failure: { kind: decoded.kind, message: decoded.message } };
}

function outOfTime(what: string): string {
  return `${what} before the time of the whole check was over`;
}

function describeError(error: NodeJS.ErrnoException, answering: boolean): [HttpFailureKind, string] {
  const code = error.code ?? '';
  if (code.startsWith('HPE_') || code === 'ERR_HTTP_INVALID_STATUS_CODE') {
    const reason =
      code === 'HPE_HEADER_OVERFLOW' ? `headers longer than ${MAX_HEADER_BYTES} bytes` : error.message;
    return ['BAD_HTTP', `the answer is not valid HTTP: ${reason.replace(/^Parse Error: /, '')}`];
  }
  if (code === 'ECONNREFUSED') {
    return ['CONN_REFUSED', 'the connection was refused'];
  }
  if (answering) {
    return ['CONN_CLOSED', 'the connection was closed in the middle of the answer'];
  }
  if (error.message === 'socket hang up') {
    return ['CONN_CLOSED', 'the connection was closed without an answer'];
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return ['CONN_RESET', 'the connection was reset without an answer'];
  }
  return ['CONN_FAILED', `the connection failed: ${code || error.message}`];
}
