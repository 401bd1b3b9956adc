import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { PROTOCOL_LIMITS } from '../../../src/domain/grader-protocol.ts';
import type { Check, GraderEvent } from '../../../src/domain/grader-protocol.ts';
import { makePrng } from '../prng.ts';
import { openProtocol } from '../protocol-io.ts';
import type { Protocol } from '../protocol-io.ts';

const INPUT = JSON.stringify({
  v: 1,
  stage: 'api',
  target: { address: '::1', port: 1 },
  seed: 's',
  deadlineMs: 1,
  plan: { ü: 1 },
});

interface Wire {
  stdin: PassThrough;
  stdout: PassThrough;
  protocol: Protocol;
  events: () => GraderEvent[];
}

async function open(): Promise<Wire> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const bytes = Buffer.from(`${INPUT}\n`);
  // Split inside a character: lines must not depend on chunks.
  const cut = bytes.indexOf(0xbc);
  stdin.write(bytes.subarray(0, cut));
  stdin.write(bytes.subarray(cut));
  const protocol = await openProtocol(stdin, stdout);
  let text = '';
  stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    stdin,
    stdout,
    protocol,
    events: () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as GraderEvent),
  };
}

describe('openProtocol', () => {
  it('reads the input', async () => {
    const { protocol } = await open();
    expect(protocol.input).toMatchObject({ stage: 'api', plan: { ü: 1 } });
  });

  it.each([
    ['', 'no input line'],
    ['{"v":2}\n', 'Invalid input'],
    ['nonsense\n', 'not valid JSON'],
  ])('refuses %j', async (text, message) => {
    const stdin = new PassThrough();
    stdin.end(text);
    await expect(openProtocol(stdin, new PassThrough())).rejects.toThrow(message);
  });
});

describe('control', () => {
  it('pairs replies with requests, in any order', async () => {
    const { stdin, protocol, events } = await open();
    const first = protocol.control('restart', { graceMs: 5 });
    const second = protocol.control('stats');
    await new Promise(setImmediate);
    const [a, b] = events();
    expect(a).toMatchObject({ event: 'control', action: 'restart', graceMs: 5 });
    const ids = [a, b].map((event) => (event?.event === 'control' ? event.id : ''));
    stdin.write(
      `${JSON.stringify({ id: ids[1], ok: true })}\n${JSON.stringify({ id: ids[0], ok: false, error: 'no' })}\n`,
    );
    expect(await second).toMatchObject({ id: ids[1], ok: true });
    expect(await first).toMatchObject({ id: ids[0], ok: false, error: 'no' });
  });

  it.each(['', 'nonsense\n', '{"id":5}\n'])(
    'ends with a reply when the host goes away or breaks the protocol (%j)',
    async (last) => {
      const { stdin, protocol } = await open();
      const waiting = protocol.control('start');
      await new Promise(setImmediate);
      stdin.end(last);
      expect(await waiting).toMatchObject({ ok: false, error: 'the host no longer answers' });
      expect(await protocol.control('start')).toMatchObject({ ok: false });
    },
  );

  it('is given up when its time is over', async () => {
    const { protocol } = await open();
    const reply = await protocol.control('start', {}, AbortSignal.timeout(20));
    expect(reply).toMatchObject({ ok: false, error: '"start" was given up: out of time' });
  });
});

describe('emit', () => {
  const check: Check = {
    id: 'a',
    name: 'a',
    status: 'failed',
    points: 0,
    maxPoints: 1,
    skill: 'ml',
    visibility: 'hidden',
    message: 'm',
    durationMs: 1,
    evidence: { expected: 'x'.repeat(PROTOCOL_LIMITS.lineBytes) },
  };

  it('leaves out evidence that does not fit a line, and refuses other events that do not', async () => {
    const { protocol, events } = await open();
    await protocol.emit({ event: 'check', check });
    await expect(
      protocol.emit({ event: 'result', result: 'x'.repeat(PROTOCOL_LIMITS.lineBytes) }),
    ).rejects.toThrow('is longer than');
    await protocol.done();
    const { evidence: _evidence, ...rest } = check;
    expect(events()).toEqual([{ event: 'check', check: rest }, { event: 'done' }]);
  });

  it('waits for a host that does not read', async () => {
    const stdin = new PassThrough();
    const stdout = new PassThrough({ highWaterMark: 1000 });
    stdin.write(`${INPUT}\n`);
    const protocol = await openProtocol(stdin, stdout);
    let written = false;
    const writing = protocol.emit({ event: 'result', result: 'x'.repeat(5000) }).then(() => {
      written = true;
    });
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    expect(written).toBe(false);
    stdout.resume();
    await writing;
  });

  it('stops before the cap on all output', async () => {
    const { protocol } = await open();
    const result = 'x'.repeat(200_000);
    async function flood(): Promise<void> {
      for (let count = 0; count < 200; count += 1) {
        await protocol.emit({ event: 'result', result });
      }
    }
    await expect(flood()).rejects.toThrow('output would pass');
  });
});

describe('makePrng', () => {
  it('is even, within bounds, and repeats itself for the same seed only', () => {
    const counts = [0, 0, 0, 0];
    const prng = makePrng('a');
    for (let turn = 0; turn < 40_000; turn += 1) {
      const value = prng.int(0, 3);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(9_600);
    expect(Math.max(...counts)).toBeLessThan(10_400);
    const [a, b, c] = ['x', 'x', 'y'].map((seed) => makePrng(seed).next());
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });
});
