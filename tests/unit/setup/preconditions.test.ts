import { describe, expect, test } from 'vitest';
import { parseDockerHost } from '../../../bin/setup/engine-api.mjs';
import { adviseByHand, enginePackages, findEngine } from '../../../bin/setup/engine.mjs';
import { sameVersions } from '../../../bin/setup/npm-packages.mjs';
import { NeedsPerson, requireNode } from '../../../bin/setup/preconditions.mjs';
import { parseOsRelease } from '../../../bin/setup/settings.mjs';

const MAC = { os: { id: 'darwin', like: [], name: 'darwin' }, isRoot: false, dockerHost: undefined };

function engineThatFails(code: string) {
  return {
    address: { socketPath: '/nowhere.sock' },
    call: () => Promise.reject(Object.assign(new Error(code), { code })),
  };
}

describe('Node.js version', () => {
  test.each(['20.19.0', '20.20.2', '22.0.0'])('%s will do', (version) => {
    expect(() => requireNode(version)).not.toThrow();
  });

  test.each(['20.18.3', '18.20.0'])('%s is refused with what is needed', (version) => {
    expect(() => requireNode(version)).toThrow(/20\.19 or newer/);
  });
});

describe('finding the engine', () => {
  test('an engine that was named and does not answer is not replaced by another', async () => {
    const settings = { ...MAC, dockerHost: 'tcp://127.0.0.1:1' };
    await expect(findEngine(engineThatFails('ECONNREFUSED'), settings)).rejects.toThrow(/DOCKER_HOST is tcp/);
  });

  test('a socket this user may not open is told apart from none', async () => {
    await expect(findEngine(engineThatFails('EACCES'), MAC)).rejects.toThrow(/may not use/);
  });

  test('without root nothing is installed or started', async () => {
    await expect(findEngine(engineThatFails('ENOENT'), MAC)).rejects.toBeInstanceOf(NeedsPerson);
  });

  test('the advice for Debian can be pasted, for other systems it names no command', () => {
    const debian = { ...MAC, os: { id: 'debian', like: ['debian'], name: 'Debian' } };
    expect(adviseByHand(MAC, false).mend).toContain('install Docker Engine');
    expect(adviseByHand(debian, true).mend).toContain('systemctl start docker');
  });

  test('cgroups are mounted by a package only where nothing else did it', () => {
    expect(enginePackages(true)).not.toContain('cgroupfs-mount');
    expect(enginePackages(false)).toContain('cgroupfs-mount');
  });
});

describe('DOCKER_HOST', () => {
  test.each([
    [undefined, { socketPath: '/var/run/docker.sock' }],
    ['unix:///run/user/1000/docker.sock', { socketPath: '/run/user/1000/docker.sock' }],
    ['tcp://127.0.0.1:2375', { host: '127.0.0.1', port: 2375 }],
    ['tcp://[::1]:4000', { host: '::1', port: 4000 }],
    ['tcp://builder', { host: 'builder', port: 2375 }],
  ])('%s', (text, address) => {
    expect(parseDockerHost(text)).toEqual(address);
  });

  test('what is not understood says what would be', () => {
    expect(() => parseDockerHost('ssh://builder')).toThrow(/not understood/);
  });
});

describe('installed packages', () => {
  const lock = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/other-platform': { version: '2.0.0', optional: true },
    },
  };

  test('match when all are there, optional ones aside', () => {
    expect(sameVersions(lock, { packages: { 'node_modules/a': { version: '1.0.0' } } })).toBe(true);
  });

  test('do not match with another version, or with none at all', () => {
    expect(sameVersions(lock, { packages: { 'node_modules/a': { version: '1.0.1' } } })).toBe(false);
    expect(sameVersions(lock, { packages: {} })).toBe(false);
    expect(sameVersions({ packages: {} }, { packages: {} })).toBe(false);
  });
});

test('the operating system and its relatives are read', () => {
  const text = 'PRETTY_NAME="Some Linux 1"\nID=some\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=one\n';
  expect(parseOsRelease(text)).toEqual({
    id: 'some',
    like: ['some', 'ubuntu', 'debian'],
    codename: 'one',
    name: 'Some Linux 1',
  });
});
