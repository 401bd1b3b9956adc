import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DockerClient, engineStatus } from '../../src/sandbox/docker/docker-client.ts';
import { makeImageStore } from '../../src/sandbox/docker/images.ts';
import { removeContainer } from '../../src/sandbox/docker/removal.ts';

const engine = new DockerClient();
const SOCKET = process.env['DOCKER_HOST']?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock';
/** Removals that are still to be refused on their way to the engine. */
let refusals = 0;
let seen = 0;
let image = '';
let between: Server;
let client: DockerClient;

/** The engine's own words of a container that ended while it was about to be killed. */
function refuse(response: ServerResponse): void {
  response.writeHead(500, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ message: 'Could not kill running container: it is not running' }));
}

function pass(incoming: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = incoming;
  const outgoing = request({ socketPath: SOCKET, method, path: url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  incoming.pipe(outgoing);
}

beforeAll(async () => {
  const images = makeImageStore({
    client: engine,
    root: resolve('.'),
    cacheDir: resolve('.assay/cache'),
    childEnv: process.env,
  });
  image = await images.image('base', new AbortController().signal);
  between = createServer((incoming, response) => {
    const removes = incoming.method === 'DELETE';
    seen += removes ? 1 : 0;
    if (removes && refusals > 0) {
      refusals -= 1;
      refuse(response);
    } else {
      pass(incoming, response);
    }
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  client = new DockerClient({ host: '127.0.0.1', port: (between.address() as AddressInfo).port });
});

afterAll(() => {
  between.closeAllConnections();
  between.close();
});

async function startSleeper(): Promise<string> {
  const container = await engine.api.createContainer({
    Image: image,
    Cmd: ['sleep', '60'],
    Labels: { app: 'assay-test' },
    HostConfig: { NetworkMode: 'none' },
  });
  await container.start();
  return container.id;
}

async function exists(id: string): Promise<boolean> {
  const all = await engine.api.listContainers({ all: true, filters: { id: [id] } });
  return all.length > 0;
}

test('a removal that the engine fails at is tried again until the container is gone', async () => {
  const id = await startSleeper();
  seen = 0;
  refusals = 2;
  try {
    await removeContainer(client, id);
    expect(await exists(id)).toBe(false);
    expect(seen).toBe(3);
  } finally {
    refusals = 0;
    await removeContainer(engine, id);
  }
});

test('an engine that fails until the deadline is told in its own words', async () => {
  const id = await startSleeper();
  refusals = Number.POSITIVE_INFINITY;
  try {
    const error: unknown = await removeContainer(client, id, 500).catch((thrown: unknown) => thrown);
    expect(engineStatus(error)).toBe(500);
    expect(String(error)).toContain('it is not running');
  } finally {
    refusals = 0;
    await removeContainer(engine, id);
  }
});
