import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildTar } from '../helpers/archives.ts';
import { BOUNDARY, fileOf, multipart, openHttpService, project } from '../helpers/http-service.ts';
import type { Candidate, HttpService } from '../helpers/http-service.ts';
import { listenOn } from '../helpers/raw-http.ts';

const MIB = 1024 ** 2;
const WAIT = { timeout: 60_000, interval: 50 };

let service: HttpService;
let port: number;
beforeAll(async () => {
  service = await openHttpService({ uploadBytes: MIB, uploadsPerToken: 2, maxEventLoopDelayMs: 60_000 });
  port = await listenOn(service.app);
});
afterAll(() => service?.close());

async function countOf(candidate: Candidate): Promise<number> {
  return (await service.store.submissions.listOfInvitation(candidate.invitation.id)).length;
}

describe('an upload', () => {
  it('is answered with a receipt of what was received, and its place in the queue', async () => {
    const candidate = await service.candidate();
    const answer = await candidate.submit(project('hello'));

    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toMatchObject({
      attempt: 1,
      run: { state: 'queued', kind: 'first' },
      receipt: {
        digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
        files: [{ path: 'server.js', bytes: 8 }],
      },
    });
    expect(answer.headers['location']).toBe(`/v1/submissions/${answer.json<{ id: string }>().id}`);
    expect(answer.json<{ queuePosition: number }>().queuePosition).toBeGreaterThan(0);
    expect(await service.uploads()).toEqual([]);
  });

  it('B24: sent again with its key is the same; another body with that key is 409', async () => {
    const candidate = await service.candidate();
    const first = await candidate.submit(project('a'), { key: 'k-1' });
    const again = await candidate.submit(project('a'), { key: 'k-1' });
    const other = await candidate.submit(project('b'), { key: 'k-1' });
    const dry = await candidate.submit(project('a'), { key: 'k-1', dryRun: true });

    expect(again.statusCode).toBe(202);
    expect(again.json()).toMatchObject({ id: first.json<{ id: string }>().id });
    expect([other.statusCode, dry.statusCode]).toEqual([409, 409]);
    expect(await countOf(candidate)).toBe(1);
  });

  it('C13: is refused outside the window and past the limit, and costs no attempt', async () => {
    const past = await service.candidate(undefined, {
      opensAt: new Date(Date.now() - 2000),
      closesAt: new Date(Date.now() - 1000),
    });
    const once = await service.candidate(undefined, { maxAttempts: 1 });
    expect((await past.submit()).json()).toMatchObject({ code: 'WINDOW_CLOSED', status: 403 });
    const both = await Promise.all([once.submit(project('x')), once.submit(project('y'))]);

    expect(both.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([202, 403]);
    expect((await once.submit()).json()).toMatchObject({ code: 'NO_ATTEMPTS_LEFT', max: 1, used: 1 });
    expect(await countOf(once)).toBe(1);
  });

  it('is refused for what is in it, with the code of intake', async () => {
    const candidate = await service.candidate();
    const answer = await candidate.submit(Buffer.from('%PDF-1.7 not an archive'));

    expect(answer.statusCode).toBe(415);
    expect(answer.json()).toMatchObject({ code: 'ARCHIVE_TYPE' });
    expect(answer.body).not.toContain('/tmp');
    expect(await countOf(candidate)).toBe(0);
  });

  it('is refused when nothing in it says how to start, and costs no attempt', async () => {
    const candidate = await service.candidate();
    const notes = await candidate.submit(buildTar([{ name: 'notes.txt', content: 'soon' }]));
    const library = await candidate.submit(buildTar([{ name: 'package.json', content: '{"name":"a"}' }]));

    expect([notes.statusCode, library.statusCode]).toEqual([422, 422]);
    expect(notes.json()).toMatchObject({ code: 'NO_PROJECT' });
    expect(library.json()).toMatchObject({ code: 'NO_START_COMMAND' });
    expect(library.json<{ mend?: string }>().mend).toBeTruthy();
    expect(await countOf(candidate)).toBe(0);
    expect(await service.uploads()).toEqual([]);
  });

  it('can be canceled once', async () => {
    const candidate = await service.candidate();
    const { id } = (await candidate.submit()).json<{ id: string }>();

    expect((await candidate.ask('POST', `/v1/submissions/${id}/cancel`)).json()).toMatchObject({
      state: 'canceled',
    });
    expect((await candidate.ask('POST', `/v1/submissions/${id}/cancel`)).json()).toMatchObject({
      code: 'RUN_ENDED',
    });
  });
});

describe('a malformed upload', () => {
  const small = Buffer.from('x');
  const field = { head: 'name="comment"', content: 'x' };
  it.each([
    ['B01: one byte too large', multipart([fileOf(Buffer.alloc(MIB + 1))]), 413],
    ['B05: 1,001 parts', multipart(Array.from({ length: 1001 }, () => field)), 400],
    ['B06: two files', multipart([fileOf(small), fileOf(small)]), 400],
    ['B06: no file', multipart([]), 400],
    ['B06: a file in another field', multipart([fileOf(small, 'other')]), 400],
    ['B06: a text where the file belongs', multipart([{ head: 'name="archive"', content: 'x' }]), 400],
    ['B08: __proto__', multipart([{ head: 'name="__proto__"', content: 'x' }]), 400],
    ['B08: constructor', multipart([fileOf(small, 'constructor')]), 400],
    ['cut off', multipart([fileOf(small)]).subarray(0, 40), 400],
    ['without its end', multipart([fileOf(small)]).subarray(0, -12), 400],
    ['no multipart at all', Buffer.from('hello'), 400],
  ])('%s leaves nothing', async (_name, raw, status) => {
    const candidate = await service.candidate();
    const answer = await candidate.submit(undefined, { raw });

    expect({ status: answer.statusCode, body: answer.body }).toMatchObject({ status });
    expect(await service.uploads()).toEqual([]);
    expect(await countOf(candidate)).toBe(0);
  });

  it.each(['../../etc/passwd', 'a\u202eb', 'x'.repeat(10_000), 'C:\\x'])(
    'B09: the name %s is not used',
    async (name) => {
      const candidate = await service.candidate();
      const answer = await candidate.submit(undefined, {
        raw: multipart([fileOf(project('n'), 'archive', name)]),
      });

      expect([202, 400]).toContain(answer.statusCode);
      expect(answer.body).not.toContain(name);
    },
  );

  it('B13: a JSON object is no file', async () => {
    const candidate = await service.candidate();
    const answer = await candidate.ask('POST', '/v1/submissions', {
      archive: { type: 'file', file: {}, buffer: 'x' },
    });

    expect(answer.statusCode).toBe(415);
  });
});

/** Begins an upload over a real connection and answers the socket once these bytes were taken. */
async function beginUpload(candidate: Candidate, body: Buffer, share: number) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.on('data', () => undefined);
  socket.write(
    `POST /v1/submissions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${candidate.token}\r\n` +
      `content-type: multipart/form-data; boundary=${BOUNDARY}\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  socket.write(body.subarray(0, Math.floor(body.length * share)));
  await vi.waitFor(async () => expect(await service.uploads()).toHaveLength(1), WAIT);
  return socket;
}

describe('an upload that is broken off', () => {
  it.each([0.3, 0.6, 0.99])('B10: at %d leaves no file and no row', async (share) => {
    const candidate = await service.candidate();
    const socket = await beginUpload(candidate, multipart([fileOf(Buffer.alloc(MIB - 10))]), share);
    socket.destroy();

    await vi.waitFor(async () => expect(await service.uploads()).toEqual([]), WAIT);
    expect(await countOf(candidate)).toBe(0);
  });

  it('cannot take every place: a token has a few', async () => {
    const slow = await service.candidate();
    const honest = await service.candidate();
    const body = multipart([fileOf(Buffer.alloc(MIB - 10))]);
    const first = await beginUpload(slow, body, 0.3);
    const second = connect(port, '127.0.0.1');
    second.on('error', () => undefined);
    second.write(
      `POST /v1/submissions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${slow.token}\r\n` +
        `content-type: multipart/form-data; boundary=${BOUNDARY}\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    second.write(body.subarray(0, 1000));
    await vi.waitFor(async () => expect(await service.uploads()).toHaveLength(2), WAIT);

    const third = await slow.submit();
    expect(third.statusCode).toBe(429);
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
    expect((await honest.submit()).statusCode).toBe(202);
    first.destroy();
    second.destroy();
    await vi.waitFor(async () => expect(await service.uploads()).toEqual([]), WAIT);
  });
});

/** Sends chunks of an upload that has no end, until the service hangs up. Answers what it said. */
async function uploadWithoutEnd(candidate: Candidate, to: number): Promise<string> {
  const socket = connect(to, '127.0.0.1');
  let answer = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const [head = ''] = multipart([fileOf(Buffer.from('<'))])
    .toString('latin1')
    .split('<');
  socket.write(
    `POST /v1/submissions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${candidate.token}\r\n` +
      `content-type: multipart/form-data; boundary=${BOUNDARY}\r\ntransfer-encoding: chunked\r\n\r\n` +
      `${head.length.toString(16)}\r\n${head}\r\n`,
  );
  const bytes = 'x'.repeat(64 * 1024);
  const sending = setInterval(() => socket.write(`${bytes.length.toString(16)}\r\n${bytes}\r\n`), 20);
  await closed;
  clearInterval(sending);
  return answer;
}

it('B03: an upload whose chunks never end is refused, and the connection closed', async () => {
  const strict = await openHttpService({ uploadBytes: MIB, requestTimeoutMs: 3000, headersTimeoutMs: 2000 });
  try {
    const candidate = await strict.candidate();
    const answer = await uploadWithoutEnd(candidate, await listenOn(strict.app));

    expect(answer).toMatch(/^HTTP\/1\.1 4(?:08|13) /);
    await vi.waitFor(async () => expect(await strict.uploads()).toEqual([]), WAIT);
    expect(await strict.store.submissions.listOfInvitation(candidate.invitation.id)).toEqual([]);
  } finally {
    await strict.close();
  }
});

describe('B11: many uploads at once', () => {
  it('are taken as far as the line goes; the rest is asked to come back', async () => {
    const narrow = await openHttpService({
      inspectionsAtOnce: 1,
      inspectionsWaiting: 2,
      maxEventLoopDelayMs: 60_000,
    });
    try {
      const candidates = await Promise.all(Array.from({ length: 12 }, () => narrow.candidate()));
      const answers = await Promise.all(candidates.map((one, index) => one.submit(project(`p${index}`))));
      const taken = answers.filter(({ statusCode }) => statusCode === 202);
      const turned = answers.filter(({ statusCode }) => statusCode === 503);

      expect(taken.length + turned.length).toBe(12);
      expect(taken.length).toBeGreaterThanOrEqual(3);
      expect(turned.length).toBeGreaterThan(0);
      expect(turned.every(({ headers }) => Number(headers['retry-after']) > 0)).toBe(true);
      expect(
        new Set(taken.map((answer) => answer.json<{ receipt: { digest: string } }>().receipt.digest)).size,
      ).toBe(taken.length);
      expect(await narrow.uploads()).toEqual([]);
    } finally {
      await narrow.close();
    }
  });
});
