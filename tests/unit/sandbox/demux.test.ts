import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { Demux } from '../../../src/sandbox/docker/demux.ts';
import { Pace } from '../../../src/sandbox/docker/pace.ts';

function frame(stream: number, payload: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(payload), 4);
  return Buffer.concat([header, Buffer.from(payload)]);
}

async function demux(chunks: readonly Buffer[], pace?: Pace): Promise<{ stdout: string; stderr: string }> {
  const out = { stdout: '', stderr: '' };
  const sink = new Demux({
    stdout: (payload) => void (out.stdout += payload.toString()) as undefined,
    stderr: (payload) => void (out.stderr += payload.toString()) as undefined,
    ...(pace ? { pace } : {}),
  });
  await pipeline(chunks, sink);
  return out;
}

describe('Demux', () => {
  it('passes a chunk of 256 KiB made of frames of one byte', async () => {
    const count = Math.floor((256 * 1024) / 9);
    const one = frame(1, 'x');
    const chunk = Buffer.concat(Array.from({ length: count }, () => one));
    const { stdout } = await demux([chunk]);
    expect(stdout).toBe('x'.repeat(count));
  });

  it('splits alike wherever the stream is cut', async () => {
    const whole = Buffer.concat([frame(1, 'hello '), frame(2, 'oops'), frame(1, ''), frame(1, 'world')]);
    for (let cut = 0; cut <= whole.length; cut++) {
      const out = await demux([whole.subarray(0, cut), whole.subarray(cut)]);
      expect(out).toEqual({ stdout: 'hello world', stderr: 'oops' });
    }
    const bytes = [...whole].map((byte) => Buffer.from([byte]));
    expect(await demux(bytes)).toEqual({ stdout: 'hello world', stderr: 'oops' });
  });

  it('holds nothing of a frame that announces 4 GiB', async () => {
    const header = Buffer.alloc(8);
    header[0] = 1;
    header.writeUInt32BE(0xffffffff, 4);
    let bytes = 0;
    const sink = new Demux({
      stdout: (payload) => void (bytes += payload.length) as undefined,
      stderr: () => undefined,
    });
    sink.write(header);
    for (let index = 0; index < 16; index++) {
      await new Promise((resolve) => {
        sink.write(Buffer.alloc(64 * 1024), resolve);
      });
    }
    expect(bytes).toBe(16 * 64 * 1024);
    expect(sink.writableLength).toBe(0);
  });

  it('refuses a stream that is not multiplexed', async () => {
    await expect(demux([Buffer.from('plain text of a terminal')])).rejects.toMatchObject({
      code: 'ENGINE_STREAM',
    });
  });

  it('reads no further while a sink holds it back', async () => {
    const source = new PassThrough({ highWaterMark: 1024 });
    const held: (() => void)[] = [];
    const sink = new Demux({
      stdout: () =>
        new Promise<void>((resolve) => {
          held.push(resolve);
        }),
      stderr: () => undefined,
    });
    source.pipe(sink);
    const chunk = frame(1, 'y'.repeat(1000));
    let written = 0;
    while (source.write(chunk)) {
      written += 1;
      expect(written).toBeLessThan(1000);
      await new Promise(setImmediate);
    }
    expect(sink.writableLength).toBeLessThanOrEqual(64 * 1024 + chunk.length);
    held.pop()?.();
    source.destroy();
  });

  it('keeps to its pace, and says that it had to', async () => {
    const pace = new Pace(20 * 1024 * 1024);
    const chunk = frame(1, 'z'.repeat(64 * 1024));
    const startedMs = performance.now();
    await demux(
      Array.from({ length: 48 }, () => chunk),
      pace,
    );
    // 3 MiB at 20 MiB/s, of which the first MiB is free.
    expect(performance.now() - startedMs).toBeGreaterThan(80);
    expect(pace.throttled).toBe(true);
  });

  it('does not call a short burst throttled', async () => {
    const pace = new Pace();
    await demux([frame(1, 'z'.repeat(512 * 1024))], pace);
    expect(pace.throttled).toBe(false);
  });
});
