import type { Config } from './config.ts';
import { openServicesHost } from './open-services.ts';
import { ensureService } from './services/own-services.ts';
import { openPostgresStore } from './store/postgres/postgres-store.ts';
import type { Store } from './store/store.ts';

/** A database that was started a moment ago, or is being restarted, gets so long to answer. */
export const STORE_WAIT_MS = 60_000;

/** Opens the store alone, starting assay's own database where none is configured. */
export async function openStore(config: Config, signal: AbortSignal): Promise<Store> {
  const url = config.databaseUrl ?? (await ensureService(await openServicesHost(config), 'postgres', signal));
  return await openPostgresStore({ url }, STORE_WAIT_MS);
}
