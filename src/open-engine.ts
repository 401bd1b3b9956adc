import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.ts';
import { AssayError, InfraError } from './domain/errors.ts';
import { DockerClient } from './sandbox/docker/docker-client.ts';
import type { DockerAddress } from './sandbox/docker/docker-client.ts';
import { makeImageStore } from './sandbox/docker/images.ts';
import type { ImageStore } from './sandbox/docker/images.ts';
import { writeOnce } from './shared/write-once.ts';

/** The folder of assay itself: docker/, graders/ and package.json lie in it. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The engine and the images, without pods: for set-up, doctor and clean. */
export interface EngineAccess {
  client: DockerClient;
  images: ImageStore;
  install: string;
}

/** Opens the engine for this installation. Throws AssayError `CONFIG_INVALID` for a wrong DOCKER_HOST. */
export async function openEngineAccess(config: Config): Promise<EngineAccess> {
  const client = new DockerClient(dockerAddress(config.dockerHost));
  const images = makeImageStore({
    client,
    root: ROOT,
    cacheDir: join(config.home, 'cache'),
    childEnv: config.childEnv,
  });
  return { client, images, install: await readInstallId(config.home) };
}

/** Names this installation, once: everything it creates on the engine carries the name. */
async function readInstallId(home: string): Promise<string> {
  const file = join(home, 'install-id');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known === undefined) {
    await mkdir(home, { recursive: true });
    await writeOnce(file, `${randomBytes(6).toString('hex')}\n`);
  }
  const id = (known ?? (await readFile(file, 'utf8'))).trim();
  if (!/^[a-z0-9]{12}$/.test(id)) {
    throw new InfraError('CONFIG_INVALID', `${file} does not hold the name of this installation`, {
      mend: "put the file back, or remove it: what carries the old name is then nobody's",
    });
  }
  return id;
}

function dockerAddress(dockerHost: string | undefined): DockerAddress {
  if (dockerHost === undefined || dockerHost === '') {
    return { socketPath: '/var/run/docker.sock' };
  }
  const url = URL.canParse(dockerHost) ? new URL(dockerHost) : undefined;
  if (url?.protocol === 'unix:') {
    return { socketPath: url.pathname };
  }
  if (url?.protocol === 'tcp:' && url.port !== '') {
    return { host: url.hostname, port: Number(url.port) };
  }
  throw new AssayError(
    'CONFIG_INVALID',
    'infra',
    `DOCKER_HOST "${dockerHost}" is neither unix://… nor tcp://host:port`,
  );
}

/** Version of assay itself. */
export async function readVersion(): Promise<string> {
  const text = await readFile(join(ROOT, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
