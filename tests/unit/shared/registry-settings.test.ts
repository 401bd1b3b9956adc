import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRegistrySettings, registrySettingsDigest } from '../../../src/shared/registry-settings.ts';

const signal = new AbortController().signal;
let folder: string;

/** Clients of a host, as small programs that answer what a real one would. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-clients-'));
  await writeFile(join(folder, 'ca.pem'), 'certificates');
  const npm = `#!/bin/sh
case $3 in registry) echo https://someone:word@npm.example.org/r/;; cafile) echo ${folder}/ca.pem;; esac
`;
  const python = `#!/bin/sh
printf "%s\\n" "global.extra-index-url='file:///local http://extra.example.org/simple'" ":env:.index-url='https://env.example.org/simple'" "global.index-url='https://file.example.org/simple'"
`;
  await writeFile(join(folder, 'npm'), npm, { mode: 0o755 });
  await writeFile(join(folder, 'python3'), python, { mode: 0o755 });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const NOTHING = { npmRegistry: undefined, pipIndex: undefined, goProxy: undefined, caBundle: undefined };

it("are those of the host's clients, without credentials and local folders", async () => {
  const settings = await readRegistrySettings(
    { ...NOTHING, childEnv: { PATH: `${folder}:/bin`, GOPROXY: 'https://go.example.org,direct' } },
    signal,
  );
  expect(settings).toMatchObject({
    npmRegistry: 'https://npm.example.org/r/',
    pipIndex: 'https://env.example.org/simple',
    pipExtraIndexes: ['http://extra.example.org/simple'],
    goProxies: ['https://go.example.org/'],
    caBundle: Buffer.from('certificates'),
  });
  expect(settings.notices).toHaveLength(2);
  expect(settings.notices.join()).not.toMatch(/someone|word|local/);
});

it('are those configured for assay first', async () => {
  const configured = {
    npmRegistry: 'https://a.example.org/',
    pipIndex: 'https://b.example.org/simple',
    goProxy: 'https://c.example.org/',
    caBundle: join(folder, 'npm'),
    childEnv: { PATH: `${folder}:/bin` },
  };
  const settings = await readRegistrySettings(configured, signal);
  expect(settings.npmRegistry).toBe('https://a.example.org/');
  expect(settings.pipIndex).toBe('https://b.example.org/simple');
  expect(settings.goProxies).toEqual(['https://c.example.org/']);
  expect(settings.caBundle?.toString()).toMatch(/^#!/);
});

it("are the clients' defaults on a host without clients", async () => {
  const settings = await readRegistrySettings({ ...NOTHING, childEnv: { PATH: '/nowhere' } }, signal);
  expect(settings).toEqual({
    npmRegistry: undefined,
    pipIndex: undefined,
    pipExtraIndexes: [],
    goProxies: [],
    caBundle: undefined,
    notices: [],
  });
});

it('have a digest that tells registries apart', async () => {
  const base = {
    npmRegistry: 'https://a.example.org/',
    pipIndex: undefined,
    pipExtraIndexes: [],
    goProxies: [],
    caBundle: undefined,
    notices: [],
  };
  expect(registrySettingsDigest({ ...base, caBundle: Buffer.from('x') })).toBe(registrySettingsDigest(base));
  expect(registrySettingsDigest({ ...base, npmRegistry: undefined })).not.toBe(registrySettingsDigest(base));
});
