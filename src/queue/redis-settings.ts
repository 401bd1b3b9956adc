import { Redis } from 'ioredis';
import { AssayError, InfraError } from '../domain/errors.ts';

const CONNECT_MS = 2000;

/** Address and credentials as the clients take them. Throws AssayError `CONFIG_INVALID`. */
export interface RedisAddress {
  host: string;
  port: number;
  username?: string;
  password?: string;
  db?: number;
  tls?: object;
}

export function redisAddress(url: string): RedisAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['redis:', 'rediss:'].includes(parsed.protocol)) {
    throw new AssayError('CONFIG_INVALID', 'infra', 'REDIS_URL is not redis://… or rediss://…');
  }
  const db = Number(parsed.pathname.slice(1) || 0);
  return {
    host: parsed.hostname,
    port: Number(parsed.port || 6379),
    db: Number.isInteger(db) ? db : 0,
    ...(parsed.username === '' ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === '' ? {} : { password: decodeURIComponent(parsed.password) }),
    ...(parsed.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/**
 * Makes sure that this Redis never forgets a delivery or a lock to make room. Throws InfraError `QUEUE_UNAVAILABLE`
 * or `QUEUE_POLICY`.
 */
export async function requireNoEviction(url: string): Promise<void> {
  const redis = new Redis({
    ...redisAddress(url),
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  let memory: string;
  try {
    await redis.connect();
    // INFO, not CONFIG: hosted servers often refuse the latter.
    memory = await redis.info('memory');
  } catch (error) {
    throw queueAway(error);
  } finally {
    redis.disconnect();
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy !== 'noeviction') {
    throw new InfraError(
      'QUEUE_POLICY',
      `Redis throws keys away when it is full (maxmemory-policy ${policy ?? 'unknown'}); a queue must not`,
      { mend: 'set maxmemory-policy to noeviction, and give the queue a Redis that is no cache' },
    );
  }
}

export function queueAway(cause: unknown): InfraError {
  return new InfraError('QUEUE_UNAVAILABLE', 'the queue does not answer', { cause });
}
