import type { Config } from './config.ts';
import { openEngineAccess } from './open-engine.ts';
import { ensureService } from './services/own-services.ts';
import type { ServicesHost } from './services/own-services.ts';

export interface ServiceUrls {
  databaseUrl: string;
  redisUrl: string;
}

/** This installation's own services, for what starts, stops and removes them. */
export async function openServicesHost(config: Config): Promise<ServicesHost> {
  return { ...(await openEngineAccess(config)), home: config.home };
}

/** Where database and queue are; starts assay's own Postgres and Redis where none are configured. */
export async function findUrls(config: Config, signal: AbortSignal): Promise<ServiceUrls> {
  const { databaseUrl, redisUrl } = config;
  if (databaseUrl !== undefined && redisUrl !== undefined) {
    return { databaseUrl, redisUrl };
  }
  const host = await openServicesHost(config);
  const [ownDatabase, ownRedis] = await Promise.all([
    databaseUrl ?? ensureService(host, 'postgres', signal),
    redisUrl ?? ensureService(host, 'redis', signal),
  ]);
  return { databaseUrl: ownDatabase, redisUrl: ownRedis };
}
