import { describe, expect, it } from 'vitest';
import { buildKey } from '../../../src/grading/build-key.ts';
import { type BuildRequest, planBuild } from '../../../src/grading/plan-build.ts';
import { decideStartPlan } from '../../../src/grading/start-plan.ts';
import { readTar } from '../../../src/shared/tar-buffer.ts';
import { submissionOf } from '../../helpers/canonical-submission.ts';

const FILES = {
  'package.json': '{"scripts":{"start":"node s.js"},"dependencies":{"ms":"2"}}',
  'package-lock.json': '{}',
  's.js': 'one',
  'lib/a.js': '',
};

function request(files: Record<string, string>, overrides: Partial<BuildRequest> = {}): BuildRequest {
  const submission = submissionOf(files);
  return {
    submission,
    plan: decideStartPlan(submission, ['node', 'python']),
    from: 'sha256:runtime',
    network: 'registries',
    registries: 'digest of settings',
    limits: { cpus: 1, memoryBytes: 1, pids: 1, diskBytes: 1, wallMs: 1 },
    scope: 'candidate 1',
    run: { run: 'r', epoch: 1 },
    ...overrides,
  };
}

function keysOf(files: Record<string, string>, overrides: Partial<BuildRequest> = {}) {
  const planned = planBuild(request(files, overrides));
  return { dependencies: planned.dependencies?.key, submission: planned.submission('sha256:x').key };
}

function paths(tar: Buffer | undefined): string[] {
  return readTar(tar ?? Buffer.alloc(0)).map((entry) => entry.path);
}

describe('the steps', () => {
  it('show manifests to the first and everything to the second', () => {
    const { dependencies, submission } = planBuild(request(FILES));
    expect(paths(dependencies?.files)).toEqual(['package-lock.json', 'package.json']);
    expect(dependencies).toMatchObject({ network: 'registries', from: 'sha256:runtime', into: '/app' });
    expect(dependencies?.env).toMatchObject({
      NPM_CONFIG_ALLOW_GIT: 'none',
      NPM_CONFIG_ALLOW_REMOTE: 'none',
      NPM_CONFIG_REPLACE_REGISTRY_HOST: 'always',
    });
    const second = submission('sha256:deps');
    expect(paths(second.files)).toEqual(['lib', 'lib/a.js', 'package-lock.json', 'package.json', 's.js']);
    expect(second).toMatchObject({ network: 'none', from: 'sha256:deps', command: null });
  });

  it('are one where nothing is installed, and node_modules stay', () => {
    const { dependencies, submission } = planBuild(request({ ...FILES, 'node_modules/ms/i.js': '' }));
    expect(dependencies).toBeNull();
    expect(paths(submission('sha256:x').files)).toContain('node_modules/ms/i.js');
  });

  it('take the one folder on top off every path', () => {
    const inside = Object.fromEntries(Object.entries(FILES).map(([path, text]) => [`top/${path}`, text]));
    expect(keysOf(inside)).toEqual(keysOf(FILES));
  });

  it('give folders to manifests in folders', () => {
    const files = { 'app.py': '', 'requirements.txt': '-r req/a.txt', 'req/a.txt': 'flask', 'req/b.txt': '' };
    const { dependencies } = planBuild(request(files, { network: 'none' }));
    expect(paths(dependencies?.files)).toEqual(['req', 'req/a.txt', 'requirements.txt']);
    expect(dependencies?.env).toMatchObject({ PIP_NO_INDEX: '1' });
  });

  it('refuse npm packages where there is no network', () => {
    expect(() => planBuild(request(FILES, { network: 'none' }))).toThrow(
      expect.objectContaining({ code: 'DEPENDENCIES_NEED_NETWORK' }),
    );
  });
});

describe('keys', () => {
  const keys = keysOf(FILES);

  it('of dependencies outlive a change of the code', () => {
    const changed = keysOf({ ...FILES, 's.js': 'two' });
    expect(changed.dependencies).toBe(keys.dependencies);
    expect(changed.submission).not.toBe(keys.submission);
  });

  it.each<[string, () => { dependencies: string | undefined; submission: string }]>([
    ['the lockfile', () => keysOf({ ...FILES, 'package-lock.json': '{ }' })],
    ['the runtime image', () => keysOf(FILES, { from: 'sha256:other' })],
    ['the registry settings', () => keysOf(FILES, { registries: 'other' })],
  ])('change with %s', (_name, changed) => {
    expect(changed().dependencies).not.toBe(keys.dependencies);
    expect(changed().submission).not.toBe(keys.submission);
  });

  it('depend on no run', () => {
    expect(keysOf(FILES, { run: { run: 'other', epoch: 9 } })).toEqual(keys);
  });

  it('keep parts apart', () => {
    expect(buildKey(['ab', 'c'])).not.toBe(buildKey(['a', 'bc']));
    expect(buildKey(['a', ''])).not.toBe(buildKey(['a']));
  });
});
