import { expect, it } from 'vitest';
import { SecretTexts } from '../secrets.ts';

function cookies(count: number, name = 'c'): [string, string][] {
  return Array.from({ length: count }, (_, n) => [
    'set-cookie',
    `${name}=${name}-secret-${n}-of-this; Path=/`,
  ]);
}

it('hides what was learnt, also where a text ends in the beginning of it', () => {
  const secrets = new SecretTexts([]);
  secrets.learnHeaders([['authorization', 'Bearer abcdefghijklmnop']]);
  expect(secrets.redact(['is abcdefghijklmnop', 'is abcdefghijk…', 'is abcdefghijk', 'is abcdefg'])).toEqual([
    'is [redacted]',
    'is [redacted]…',
    'is [redacted]',
    'is abcdefg',
  ]);
});

it('learns no more than a few credentials of each message, and of them all', () => {
  const secrets = new SecretTexts(['token']);
  secrets.learn('token', 'the-token');
  secrets.learnHeaders(cookies(100, 'first'));
  expect(secrets.redact(['first-secret-19-of-this', 'first-secret-20-of-this', 'the-token'])).toEqual([
    '[redacted]',
    'first-secret-20-of-this',
    '[secret token]',
  ]);
  for (let message = 0; message < 50; message += 1) {
    secrets.learnHeaders(cookies(20, `m${message}`));
  }
  expect(secrets.redact(['m8-secret-0-of-this', 'm49-secret-0-of-this'])).toEqual([
    '[redacted]',
    'm49-secret-0-of-this',
  ]);
});

it('is done soon with a service that floods it with cookies', () => {
  const secrets = new SecretTexts([]);
  const begin = performance.now();
  for (let message = 0; message < 2000; message += 1) {
    secrets.learnHeaders(cookies(100, `m${message}-${'a'.repeat(100)}`));
  }
  const texts = Array.from({ length: 4000 }, () => 'a'.repeat(400));
  expect(secrets.redact(texts)).toEqual(texts);
  expect(performance.now() - begin).toBeLessThan(8000);
});
