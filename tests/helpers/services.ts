import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { DockerClient } from '../../src/sandbox/docker/docker-client.ts';
import { makeImageStore } from '../../src/sandbox/docker/images.ts';
import { ensureService, resetServices } from '../../src/services/own-services.ts';
import type { ServicesHost } from '../../src/services/own-services.ts';
import type { ServiceName } from '../../src/services/service-container.ts';
import { never } from './sandbox.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface TestServices {
  host: ServicesHost;
  /** Starts the service where it does not run and answers its URL. */
  url(service: ServiceName): Promise<string>;
  /** Removes containers, volumes and the home. */
  close(): Promise<void>;
}

/** Postgres and Redis as assay itself starts them, for an installation of this test file alone. */
export async function openTestServices(): Promise<TestServices> {
  const home = await mkdtemp(join(tmpdir(), 'assay-services-'));
  const client = new DockerClient({ socketPath: '/var/run/docker.sock' });
  const images = makeImageStore({
    client,
    root: ROOT,
    cacheDir: join(tmpdir(), 'assay-test-cache'),
    childEnv: process.env,
  });
  const host = { client, images, home, install: `test-${randomBytes(5).toString('hex')}` };
  return {
    host,
    url: (service) => ensureService(host, service, never),
    close: async () => {
      await resetServices(host);
      await rm(home, { recursive: true, force: true });
    },
  };
}
