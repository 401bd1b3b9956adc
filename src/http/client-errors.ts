import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { ProblemCode } from './problems.ts';
import { Problem, problemDocument, statusLine } from './problems.ts';

const CODES: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'The headers are larger than 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'The request did not arrive in time.'],
};

/** Answers what could not be parsed as HTTP, and closes: nothing that follows on the connection can be trusted. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, detail] = CODES[error.code ?? ''] ?? [
    'MALFORMED_REQUEST',
    'This is no well-formed HTTP request.',
  ];
  const problem = new Problem(code, detail);
  const body = JSON.stringify(problemDocument(problem, randomUUID()));
  const head = [
    statusLine(problem.statusCode),
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
