import { join } from 'node:path';
import type { BlobStore } from './blobs/blob-store.ts';
import { openFsBlobStore } from './blobs/fs-blob-store.ts';
import type { Config } from './config.ts';
import type { ServiceUrls } from './open-services.ts';
import { STORE_WAIT_MS } from './open-store.ts';
import { openBullQueue } from './queue/bullmq-queue.ts';
import type { GradingQueue } from './queue/grading-queue.ts';
import { makeLogger } from './shared/logger.ts';
import type { Logger } from './shared/logger.ts';
import { openPostgresStore } from './store/postgres/postgres-store.ts';
import type { Store } from './store/store.ts';

/** What every process of the service has open. */
export interface Backing {
  urls: ServiceUrls;
  store: Store;
  blobs: BlobStore;
  queue: GradingQueue;
  logger: Logger;
  close(): Promise<void>;
}

/** Opens store, queue and blobs. */
export async function openBacking(config: Config, urls: ServiceUrls): Promise<Backing> {
  const logger = makeLogger(config.logLevel);
  const store = await openPostgresStore(
    {
      url: urls.databaseUrl,
      onError: (error) => logger.warn({ err: error }, 'a database connection broke'),
    },
    STORE_WAIT_MS,
  );
  const blobs = await openFsBlobStore(join(config.home, 'blobs')).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const queue = openBullQueue(urls.redisUrl, (error) => logger.warn({ err: error }, 'the queue has trouble'));
  return {
    urls,
    store,
    queue,
    logger,
    blobs,
    close: async () => {
      await queue.close().catch(() => undefined);
      await store.close();
    },
  };
}
