import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DockerClient } from '../../src/sandbox/docker/docker-client.ts';
import { makeImageStore, prepareImages, type ImageStore } from '../../src/sandbox/docker/images.ts';

const client = new DockerClient();
const signal = new AbortController().signal;
/** Unique, so that nothing of a real installation is touched. */
const name = `test-${randomUUID().slice(0, 8)}`;
let root = '';

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'assay-image-store-'));
  await cp(resolve('docker/base'), join(root, 'docker/base'), { recursive: true });
  await mkdir(join(root, 'docker', name));
  await mkdir(join(root, 'docker', `${name}-broken`));
});

afterAll(async () => {
  const images = await client.api.listImages({ filters: { label: [`assay.image=${name}`] } });
  await Promise.all(images.map((image) => client.api.getImage(image.Id).remove({ force: true })));
  await rm(root, { recursive: true });
});

/** A store as another process would make it: nothing is remembered. */
function freshStore(): ImageStore {
  return makeImageStore({ client, root, cacheDir: join(root, 'cache'), childEnv: process.env });
}

async function writeDockerfile(folder: string, ...lines: string[]): Promise<void> {
  await writeFile(
    join(root, 'docker', folder, 'Dockerfile'),
    `ARG BASE\nFROM \${BASE}\n${lines.join('\n')}\n`,
  );
}

describe('image store', () => {
  beforeEach(async () => writeDockerfile(name, 'RUN echo one > /one'));

  test('builds once for callers at the same time, and finds it again afterwards', async () => {
    const store = freshStore();
    const lines: string[] = [];
    const ids = await Promise.all([
      store.image(name, signal, (line) => lines.push(line)),
      store.image(name, signal),
    ]);
    expect(ids[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(lines).toContain('building');
    const again: string[] = [];
    expect(await freshStore().image(name, signal, (line) => again.push(line))).toBe(ids[0]);
    expect(again).toEqual([]);
  });

  test('two processes that build at once end in one tagged image', async () => {
    await writeDockerfile(name, `RUN echo ${randomUUID()} > /one`);
    await Promise.all([freshStore().image(name, signal), freshStore().image(name, signal)]);
    const id = await freshStore().image(name, signal);
    const info = await client.api.getImage(id).inspect();
    expect(info.RepoTags.filter((tag) => tag.startsWith(`assay/${name}:`))).toHaveLength(1);
    expect(info.Config.Labels).toMatchObject({ app: 'assay', 'assay.image': name });
  });

  test('a change gives another image', async () => {
    const before = await freshStore().image(name, signal);
    await writeDockerfile(name, 'RUN echo two > /two');
    expect(await freshStore().image(name, signal)).not.toBe(before);
  });

  test('a failing build tells its last lines, and is not remembered', async () => {
    const broken = `${name}-broken`;
    await writeDockerfile(broken, 'RUN echo the reason && exit 7');
    const store = freshStore();
    await expect(store.image(broken, signal)).rejects.toThrow(/the reason/);
    await expect(store.image(broken, signal)).rejects.toMatchObject({ code: 'IMAGE_BUILD_FAILED' });
  });

  test('an aborted build ends at once', async () => {
    await writeDockerfile(name, `RUN echo ${randomUUID()} && sleep 60`);
    const abort = new AbortController();
    const started = Date.now();
    const building = freshStore().image(name, abort.signal, () =>
      setTimeout(() => abort.abort(new Error('enough')), 300),
    );
    await expect(building).rejects.toThrow('enough');
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  test('without the base image it says how to get it', async () => {
    await mkdir(join(root, 'docker/orphan'), { recursive: true });
    await writeFile(join(root, 'docker/orphan/Dockerfile'), 'ARG BASE=assay-nothing:none\nFROM ${BASE}\n');
    await expect(freshStore().image('orphan', signal)).rejects.toMatchObject({
      code: 'BASE_IMAGE_MISSING',
      mend: 'run "npm run setup", which pulls or makes it',
    });
  });
});

describe('the images of this project', () => {
  const project = makeImageStore({
    client,
    root: resolve('.'),
    cacheDir: resolve('.assay/cache'),
    childEnv: process.env,
  });

  async function outputOf(image: string, command: string[]): Promise<string> {
    const container = await client.api.createContainer({
      Image: image,
      Cmd: command,
      User: '10001:10001',
      Labels: { app: 'assay-test' },
      HostConfig: { NetworkMode: 'none' },
    });
    try {
      await container.start();
      await container.wait();
      return (await container.logs({ stdout: true, stderr: true })).toString('utf8');
    } finally {
      await container.remove({ force: true });
    }
  }

  test('all can be prepared together, and a second time in an instant', async () => {
    const names = ['base', 'pause', 'runtime-node', 'runtime-python'];
    const first = await prepareImages(project, names, signal);
    const started = Date.now();
    expect(await prepareImages(project, names, signal)).toEqual(first);
    expect(Date.now() - started).toBeLessThan(2000);
  });

  test('node has npm and knows its user', async () => {
    const image = await project.image('runtime-node', signal);
    const output = await outputOf(image, ['sh', '-c', 'npm --version; node -p "os.userInfo().username"']);
    expect(output).toMatch(/11\.21\.2/);
    expect(output).toMatch(/app/);
  });

  test('python has the web packages and knows its user', async () => {
    const image = await project.image('runtime-python', signal);
    const script =
      'import flask, fastapi, uvicorn, gunicorn, psycopg, psycopg2, redis, pydantic, getpass; print(getpass.getuser())';
    expect(await outputOf(image, ['python', '-c', script])).toMatch(/app/);
  });

  test('no image keeps package lists', async () => {
    for (const image of ['runtime-node', 'runtime-python']) {
      const id = await project.image(image, signal);
      expect(
        await outputOf(id, ['sh', '-c', 'ls -A /var/lib/apt/lists /var/cache/apt | grep -c Packages']),
      ).toMatch(/0/);
    }
  });
});
