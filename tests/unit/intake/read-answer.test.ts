import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { DEFAULT_INTAKE_LIMITS } from '../../../src/intake/limits.ts';
import { readAnswer } from '../../../src/intake/read-answer.ts';

const limits = { ...DEFAULT_INTAKE_LIMITS, expandedBytes: 1000, entries: 1 };

function accepted(tarBytes: number): string {
  return `${JSON.stringify({ outcome: 'accepted', tarBytes, files: [], notices: [] })}\n`;
}

function read(...chunks: string[]) {
  return readAnswer(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), limits);
}

describe('the answer of the reading process', () => {
  test('may come in any pieces', async () => {
    const whole = `${accepted(5)}bytes`;
    for (const chunks of [[whole], whole.split(''), [accepted(5), 'by', 'tes']]) {
      expect((await read(...chunks))?.tar.toString()).toBe('bytes');
    }
  });

  test('may be a refusal', async () => {
    const refused = { outcome: 'refused', code: 'ARCHIVE_LINK', message: 'm', mend: 'n' };
    expect(await read(`${JSON.stringify(refused)}\n`)).toMatchObject({ answer: refused });
  });

  test.each([
    ['nothing', ''],
    ['no end of line', accepted(0).trim()],
    ['no JSON', 'hello\n'],
    ['an unknown outcome', '{"outcome":"fine"}\n'],
    ['a negative size', accepted(-1)],
    ['a tar larger than the limits allow', accepted(1e6)],
    ['a short tar', `${accepted(5)}byte`],
    ['a long tar', `${accepted(5)}bytes!`],
    ['bytes behind a refusal', '{"outcome":"refused","code":"x","message":"m"}\nx'],
    ['a line that does not end', 'x'.repeat(2 * 1024 ** 2)],
  ])('is not taken: %s', async (_title, text) => {
    expect(await read(text)).toBeUndefined();
  });
});
