import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { get } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ResponseParser } from '../response-parser.ts';

const MAX_BODY_BYTES = 1000;

interface Parsed {
  outcome: string;
  status: number;
  body: string;
  keepAlive: boolean;
  problem: string;
}

/** Feeds the pieces one after another, then the end of the connection if the response is not complete. */
function parse(pieces: readonly Buffer[], { isHead = false, closes = true } = {}): Parsed {
  const parser = new ResponseParser(MAX_BODY_BYTES);
  parser.begin(isHead, MAX_BODY_BYTES);
  let outcome = 'more';
  for (const piece of pieces) {
    if (outcome === 'more') {
      outcome = parser.feed(piece, 0, piece.length);
    }
  }
  if (outcome === 'more' && closes) {
    outcome = parser.end();
  }
  const { status, keepAlive, problem } = parser;
  return { outcome, status, body: parser.bodyText(), keepAlive, problem };
}

const LEGAL: [string, string, { status?: number; body: string; keepAlive: boolean; isHead?: boolean }][] = [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', { body: 'hello', keepAlive: true }],
  ['no reason', 'HTTP/1.1 200 \r\ncontent-length:0\r\n\r\n', { body: '', keepAlive: true }],
  ['no blank after the status', 'HTTP/1.1 204\r\n\r\n', { status: 204, body: '', keepAlive: true }],
  [
    'blanks around values',
    'HTTP/1.1 200 OK\r\nContent-Length: \t 2 \r\n\r\nhi',
    { body: 'hi', keepAlive: true },
  ],
  [
    '304 with a length',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
    { status: 304, body: '', keepAlive: true },
  ],
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', { body: '', keepAlive: true, isHead: true }],
  [
    'HEAD, chunked',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    { body: '', keepAlive: true, isHead: true },
  ],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n',
    { body: 'hello!', keepAlive: true },
  ],
  [
    'chunks with extensions, capital digits, leading zeros and trailers',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n00A;a=b;c="d"\r\n0123456789\r\n000\r\nx: 1\r\ny: 2\r\n\r\n',
    { body: '0123456789', keepAlive: true },
  ],
  [
    'informational responses first',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx',
    { status: 201, body: 'x', keepAlive: true },
  ],
  ['no length: to the end', 'HTTP/1.1 200 OK\r\n\r\nto the end', { body: 'to the end', keepAlive: false }],
  [
    'Connection: close',
    'HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nx',
    { body: 'x', keepAlive: false },
  ],
  [
    'several options',
    'HTTP/1.1 200 OK\r\nConnection: foo, close\r\nContent-Length: 1\r\n\r\nx',
    { body: 'x', keepAlive: false },
  ],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', { body: 'x', keepAlive: false }],
  [
    'HTTP/1.0 kept alive',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx',
    { body: 'x', keepAlive: true },
  ],
  [
    'an empty value',
    'HTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: 1\r\n\r\nx',
    { body: 'x', keepAlive: true },
  ],
  [
    'bytes beyond ASCII',
    'HTTP/1.1 200 Très\r\nX: é\r\nContent-Length: 2\r\n\r\né',
    { body: 'é', keepAlive: true },
  ],
];

const MALFORMED: [string, string, string][] = [
  ['no HTTP', 'hello\r\n\r\n', 'status line'],
  ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n', 'status line'],
  ['a short status', 'HTTP/1.1 20 OK\r\n\r\n', 'status line'],
  ['a long status', 'HTTP/1.1 2000 OK\r\n\r\n', 'status line'],
  ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 1\n\nx', 'carriage return'],
  ['no colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n', 'header line'],
  ['a blank in a name', 'HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx', 'header line'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\nx', 'Content-Length'],
  ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'Content-Length'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 'more than one'],
  [
    'length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx',
    'both',
  ],
  ['a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\nx', 'without a size'],
  [
    'a chunk size in words',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5g\r\nhello',
    'not a number',
  ],
  [
    'an endless chunk size',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}`,
    'too long',
  ],
  [
    'a chunk longer than its size',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n',
    'longer than its size',
  ],
  [
    'a chunk line without its end',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nab',
    'not a number',
  ],
  ['an unasked upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', '101'],
  ['endless informational responses', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(20), 'informational'],
  ['an endless head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`, 'head is longer'],
  ['a long announced body', 'HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n', 'body is longer'],
  ['a long body to the end', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1001)}`, 'body is longer'],
  [
    'endless trailers',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(4000)}`,
    'trailers',
  ],
  ['half a head', 'HTTP/1.1 200 OK\r\nContent-', 'closed before'],
  ['half a body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel', 'closed before'],
  ['half the chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'closed before'],
];

describe('the response parser', () => {
  test.each(LEGAL)('reads %s, cut at any byte', (_name, text, { status = 200, body, keepAlive, isHead }) => {
    const bytes = Buffer.from(text);
    const expected = { outcome: 'complete', status, body, keepAlive, problem: '' };
    const options = { isHead: isHead ?? false };
    expect(parse([bytes], options)).toEqual(expected);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      expect(parse([bytes.subarray(0, cut), bytes.subarray(cut)], options)).toEqual(expected);
    }
    expect(
      parse(
        [...bytes].map((byte) => Buffer.from([byte])),
        options,
      ),
    ).toEqual(expected);
  });

  test.each(MALFORMED)('refuses %s, cut at any byte', (_name, text, problem) => {
    const bytes = Buffer.from(text);
    const step = Math.ceil(bytes.length / 200);
    for (let cut = 0; cut < bytes.length; cut += step) {
      const parsed = parse([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(parsed).toMatchObject({ outcome: 'malformed', keepAlive: false });
      expect(parsed.problem).toContain(problem);
    }
  });

  test.each(LEGAL)('agrees with node:http on %s', async (_name, text, { status = 200, body, isHead }) => {
    const answer = await askNode(Buffer.from(text), isHead === true ? 'HEAD' : 'GET');
    expect(answer).toEqual({ status, body });
  });

  test('gives up a connection that says more than it was asked', () => {
    const parsed = parse([Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n')]);
    expect(parsed).toMatchObject({ outcome: 'complete', body: 'x', keepAlive: false });
  });

  test('waits for the rest of a body', () => {
    const half = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel');
    expect(parse([half], { closes: false }).outcome).toBe('more');
  });

  test('keeps as much of a body as asked and counts the rest', () => {
    const parser = new ResponseParser(10_000);
    parser.begin(false, 2000);
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(5000)}`);
    expect(parser.feed(bytes, 0, bytes.length)).toBe('complete');
    expect(parser.bodyText()).toHaveLength(2000);
    expect(parser.bodyBytes).toBe(5000);
    expect(parser.bodyKeptWhole).toBe(false);
  });

  test('answers headers by name, joined and unfolded', () => {
    const parser = new ResponseParser(1000);
    parser.begin(false, 0);
    const bytes = Buffer.from(
      'HTTP/1.1 200 OK\r\nLocation: /a\r\nX: 1\r\nx: 2\r\nY: 1\r\n 2\r\nContent-Length: 0\r\n\r\n',
    );
    expect(parser.feed(bytes, 0, bytes.length)).toBe('complete');
    expect([parser.header('location'), parser.header('x'), parser.header('y'), parser.header('z')]).toEqual([
      '/a',
      '1, 2',
      '1 2',
      undefined,
    ]);
  });

  test('starts anew for the next response', () => {
    const parser = new ResponseParser(1000);
    for (const body of ['first', 'second']) {
      parser.begin(false, 100);
      const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      expect(parser.feed(bytes, 0, bytes.length)).toBe('complete');
      expect(parser.bodyText()).toBe(body);
    }
  });
});

async function askNode(response: Buffer, method: string): Promise<{ status: number; body: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, method, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
        answer.on('error', reject);
      });
      request.on('error', reject);
    });
  } finally {
    server.close();
  }
}
