import pino from 'pino';
import { buildApp } from '../../src/http/app.ts';
import type { App } from '../../src/http/app-types.ts';
import type { HttpDeps } from '../../src/http/http-deps.ts';
import { DEFAULT_HTTP_SETTINGS } from '../../src/http/http-settings.ts';
import { systemClock } from '../../src/shared/clock.ts';

/** Stands where a store would be, and fails a test that reaches it. */
function unreachable(name: string): never {
  return new Proxy(
    {},
    {
      get: (_target, key) => {
        throw new Error(`the test reached ${name}.${String(key)}`);
      },
    },
  ) as never;
}

/** The application without anything behind it: for what is decided before the store is asked. */
export async function bareApp(settings: Partial<HttpDeps['settings']> = {}): Promise<App> {
  return await buildApp({
    store: unreachable('store'),
    blobs: unreachable('blobs'),
    logger: pino({ level: 'silent' }),
    clock: systemClock,
    version: '0.0.0-test',
    settings: { ...DEFAULT_HTTP_SETTINGS, uploadDir: '/nonexistent', perAddress: 100_000, ...settings },
    intake: () => Promise.reject(new Error('the test reached intake')),
    checkStart: () => undefined,
    checkWebhookUrl: () => Promise.resolve(),
  });
}
