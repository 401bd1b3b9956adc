import Fastify from 'fastify';
import { expect, it } from 'vitest';
import { InfraError } from '../../../src/domain/errors.ts';
import { answerError } from '../../../src/http/error-handler.ts';

async function answerTo(code: string) {
  const app = Fastify();
  app.setErrorHandler(answerError);
  app.get('/', () => Promise.reject(new InfraError(code, 'canary of the inside')));
  return await app.inject('/');
}

it.each(['STORE_UNAVAILABLE', 'QUEUE_UNAVAILABLE', 'BLOB_FULL'])(
  '%s asks for a repetition, and promises nothing about what was done',
  async (code) => {
    const answer = await answerTo(code);

    expect(answer.statusCode).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.json<{ detail: string }>().detail).toMatch(/not known.*Idempotency-Key/);
    expect(answer.body).not.toContain('canary');
  },
);

it.each(['STORE_FAILED', 'BLOB_MISSING', 'BLOB_DAMAGED'])('%s is no weather: 500', async (code) => {
  const answer = await answerTo(code);

  expect(answer.statusCode).toBe(500);
  expect(answer.headers['retry-after']).toBeUndefined();
  expect(answer.body).not.toContain('canary');
});
