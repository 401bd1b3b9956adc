import { describe, expect, it } from 'vitest';
import { LogSink } from '../../../src/sandbox/docker/log-capture.ts';

const KIB = 1024;

describe('LogSink', () => {
  it('keeps a short output as it was', () => {
    const sink = new LogSink();
    sink.write(Buffer.from('grüße\n'));
    sink.write(Buffer.from('bye'));
    expect(sink.capture()).toEqual({
      text: 'grüße\nbye',
      totalBytes: 11,
      truncated: false,
      throttled: false,
    });
  });

  it('keeps every byte up to 1 MiB', () => {
    const sink = new LogSink();
    const lines = Array.from({ length: 16 * KIB }, (_, index) => `${String(index).padStart(63, ' ')}\n`);
    for (const line of lines) {
      sink.write(Buffer.from(line));
    }
    expect(sink.capture()).toMatchObject({ text: lines.join(''), totalBytes: 1024 * KIB, truncated: false });
  });

  it.each([1, 7, 4096, 700_000, 3_000_000])(
    'keeps head and tail of an endless output in writes of %i bytes',
    (size) => {
      const sink = new LogSink();
      const whole = Buffer.from(Array.from({ length: 300_000 }, (_, index) => `${index}\n`).join(''));
      for (let offset = 0; offset < whole.length; offset += size) {
        sink.write(whole.subarray(offset, offset + size));
      }
      const { text, totalBytes, truncated } = sink.capture();
      const [head, marker, tail] = text.split(/\n(\[assay: .* left out here\])\n/);
      expect(totalBytes).toBe(whole.length);
      expect(truncated).toBe(true);
      expect(marker).toBe('[assay: 918 KiB of output left out here]');
      expect(head).toBe(whole.subarray(0, 512 * KIB).toString());
      expect(tail).toBe(whole.subarray(whole.length - 512 * KIB).toString());
    },
  );
});
