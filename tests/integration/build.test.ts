import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SubmissionBuild } from '../../src/grading/build-submission.ts';
import { type PackageRegistry, startPackageRegistry } from '../helpers/package-registry.ts';
import { makeTestBuilds } from '../helpers/builds.ts';

const MIB = 1024 ** 2;
const SERVER = { 'server.js': 'console.log(require("tiny"))' };
let registry: PackageRegistry;
let builds: ReturnType<typeof makeTestBuilds>;

beforeAll(async () => {
  registry = await startPackageRegistry();
  builds = makeTestBuilds({
    npmRegistry: registry.npmUrl,
    pipIndex: registry.pipUrl,
    pipExtraIndexes: [],
    goProxies: [],
    caBundle: Buffer.from('-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n'),
    notices: [],
  });
});

afterEach(async () => {
  registry.requests.length = 0;
  expect(await builds.leftovers()).toEqual([]);
});

afterAll(async () => {
  await builds.removeImages();
  await registry.close();
});

function manifest(fields: object): { 'package.json': string } {
  return {
    'package.json': JSON.stringify({
      name: 'x',
      version: '1.0.0',
      scripts: { start: 'node server.js' },
      ...fields,
    }),
  };
}

function buildScript(build: string): Record<string, string> {
  return manifest({ scripts: { start: 'node server.js', build } });
}

function imageOf(outcome: SubmissionBuild): string {
  if (!outcome.ok) {
    throw new Error(`${outcome.exit.message}\n${outcome.log.text}`);
  }
  return outcome.image;
}

function failureOf(outcome: SubmissionBuild) {
  if (outcome.ok) {
    throw new Error('it was built');
  }
  return outcome.exit;
}

describe('npm packages', () => {
  it('come from the registry once, and an unchanged submission builds nothing', async () => {
    const files = { ...manifest({ dependencies: { tiny: '1' } }), ...SERVER };
    const first = await builds.build(files);
    expect(await builds.run(imageOf(first), ['node', 'server.js'])).toBe('tiny works\n');
    expect(registry.requests).toContain('/tiny/-/tiny-1.0.0.tgz');
    registry.requests.length = 0;

    const changed = await builds.build({ ...files, 'more.js': '' });
    expect(changed.steps.map((step) => step.ok && step.cached)).toEqual([true, false]);
    const again = await builds.build(files);
    expect(again).toMatchObject({ ok: true, cached: true, image: imageOf(first) });
    expect(registry.requests).toEqual([]);

    const other = await builds.build(files, { scope: 'another candidate' });
    expect(other.steps.map((step) => step.ok && step.cached)).toEqual([false, false]);
  });

  it('come from the configured registry, whatever host the lockfile names', async () => {
    const lock = {
      lockfileVersion: 3,
      packages: {
        '': { name: 'x', version: '1.0.0', dependencies: { tiny: '1' } },
        'node_modules/tiny': {
          version: '1.0.0',
          resolved: 'https://elsewhere.invalid/tiny/-/tiny-1.0.0.tgz',
        },
      },
    };
    const files = {
      ...manifest({ dependencies: { tiny: '1' } }),
      ...SERVER,
      'package-lock.json': JSON.stringify(lock),
    };
    const outcome = await builds.build(files);
    expect(await builds.run(imageOf(outcome), ['node', 'server.js'])).toBe('tiny works\n');
    expect(registry.requests).toContain('/tiny/-/tiny-1.0.0.tgz');
  });

  it('run their install scripts later, without a network', async () => {
    const outcome = await builds.build({ ...manifest({ dependencies: { scripted: '1' } }), 'server.js': '' });
    const listed = await builds.run(imageOf(outcome), ['ls', 'node_modules/scripted']);
    expect(listed).toContain('made-by-script');
    expect(registry.requests).toContain('/scripted');
    expect(registry.requests).not.toContain('/called-home');
  });

  it('cannot bring packages of another address along', async () => {
    const outcome = await builds.build({ ...manifest({ dependencies: { sly: '1' } }), 'server.js': '' });
    expect(failureOf(outcome)).toMatchObject({ cause: 'exited' });
    expect(registry.requests).toContain('/sly');
    expect(registry.requests).not.toContain('/secret.tgz');
  });

  it("that do not exist are the candidate's failure", async () => {
    const missing = await builds.build({
      ...manifest({ dependencies: { ENOTFOUND: '1' } }),
      'server.js': '',
    });
    expect(failureOf(missing).message).toContain('no such package');
    const version = await builds.build({ ...manifest({ dependencies: { tiny: '9' } }), 'server.js': '' });
    expect(failureOf(version).message).toContain('no such version');
  });

  it('without a registry that answers are our failure', async () => {
    const files = { ...manifest({ dependencies: { tiny: '1' } }), 'server.js': '' };
    const closed = registry.npmUrl.replace(/:\d+/, ':9');
    await expect(builds.build(files, { settings: { npmRegistry: closed } })).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      blame: 'infra',
    });
  });

  it('that were handed in are used as they are', async () => {
    const vendored = { 'node_modules/tiny/index.js': 'module.exports = "handed in"' };
    const outcome = await builds.build({
      ...manifest({ dependencies: { tiny: '1' } }),
      ...SERVER,
      ...vendored,
    });
    expect(await builds.run(imageOf(outcome), ['node', 'server.js'])).toBe('handed in\n');
    expect(registry.requests).toEqual([]);
  });
});

describe('python packages', () => {
  const CLOSED = { pipIndex: 'http://127.0.0.1:9/simple/' };

  it("that Debian's satisfy need no index", async () => {
    const files = {
      'requirements.txt': 'flask>=2\nuvicorn\n',
      'app.py': 'import flask; print("flask works")',
    };
    const outcome = await builds.build(files, { settings: CLOSED });
    expect(await builds.run(imageOf(outcome), ['python3', 'app.py'])).toBe('flask works\n');
  });

  it('come from the index beside those', async () => {
    const files = {
      'requirements.txt': 'flask\ntinywheel==1.0\n',
      'app.py': 'import flask, tinywheel; print(tinywheel.WORKS)',
    };
    const outcome = await builds.build(files);
    expect(await builds.run(imageOf(outcome), ['python3', 'app.py'])).toBe('tinywheel works\n');
  });

  it("that the index does not have are the candidate's failure, and no answer is ours", async () => {
    const files = { 'requirements.txt': 'tinywheel==9\n', 'app.py': '' };
    expect(failureOf(await builds.build(files)).message).toContain('tinywheel==9');
    await expect(builds.build(files, { settings: CLOSED })).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
    });
  });
});

describe('the build step', () => {
  it('that fails is an outcome with its log', async () => {
    const chunks: string[] = [];
    const outcome = await builds.build(buildScript('echo what went wrong >&2; exit 3'), {
      onLog: (chunk) => chunks.push(chunk),
    });
    expect(failureOf(outcome)).toMatchObject({ cause: 'exited', exitCode: 3 });
    expect(outcome.log.text).toContain('what went wrong');
    expect(chunks.join('')).toContain('what went wrong');
  });

  it('has no network, no privileges and no settings of the host', async () => {
    const look =
      'ls /sys/class/net; grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status; id -u; env; ls /input';
    const { log } = await builds.build(buildScript(look));
    const lines = log.text.split('\n');
    expect(lines.filter((line) => /^(?:lo|eth\d+)$/.test(line))).toEqual(['lo']);
    expect(log.text).toMatch(/CapEff:\s0000000000000000\nNoNewPrivs:\s1\nSeccomp:\s2\n10001\n/);
    expect(log.text).not.toContain(new URL(registry.npmUrl).host);
    expect(log.text).not.toContain('ca.pem');
  });

  it.each<[string, string, string, object]>([
    ['timeout', 'never ends', 'sleep 1d', { wallMs: 2000 }],
    [
      'oom',
      'takes too much memory',
      'node -e "for(a=[];;)a.push(Buffer.alloc(1e7,1))"',
      { memoryBytes: 160 * MIB },
    ],
    [
      'disk',
      'writes without end',
      'for i in $(seq 100); do head -c 20000000 /dev/zero > f$i; sleep 0.1; done',
      { diskBytes: 64 * MIB },
    ],
    [
      'disk',
      'leaves too much',
      'for i in 1 2 3; do head -c 30000000 /dev/zero > f$i; done',
      { diskBytes: 64 * MIB },
    ],
    ['disk', 'leaves a sparse file', 'for i in 1 2; do truncate -s 60M f$i; done', { diskBytes: 64 * MIB }],
  ])('is ended with %s when it %s', async (cause, _what, script, limits) => {
    const startMs = performance.now();
    const outcome = await builds.build(buildScript(script), { limits });
    expect(failureOf(outcome).cause).toBe(cause);
    expect(performance.now() - startMs).toBeLessThan(15_000);
  });

  it('is bounded in processes and output', async () => {
    const script = 'for i in $(seq 200); do sleep 5 & done; wait; yes | head -c 5000000';
    const outcome = await builds.build(buildScript(script), { limits: { pids: 32 } });
    expect(outcome.log.text).toMatch(/Cannot fork|Resource temporarily unavailable/i);
    const loud = await builds.build(buildScript('yes 0123456789 | head -c 5000000'));
    expect(loud.log).toMatchObject({ truncated: true });
    expect(loud.log.text.length).toBeLessThan(1.1 * MIB);
  });

  it('leaves an image with our settings alone', async () => {
    const image = imageOf(await builds.build(buildScript('exit 0')));
    const info = await builds.client.api.getImage(image).inspect();
    expect(info.Config).toMatchObject({ User: '10001:10001', WorkingDir: '/app', Cmd: ['/bin/false'] });
    expect(info.Config.Entrypoint ?? []).toEqual([]);
    expect(info.Config.Volumes ?? {}).toEqual({});
    const names = info.Config.Env.map((entry) => entry.split('=')[0]);
    expect(new Set(names)).toEqual(new Set(['HOME', 'LANG', 'PATH', 'PYTHONUSERBASE', 'TMPDIR']));
    const labels = Object.entries(info.Config.Labels).filter(([, value]) => value !== '');
    expect(Object.fromEntries(labels)).toEqual({
      app: 'assay',
      'assay.install': builds.install,
      'assay.cache': 'submission',
      'assay.scope': 'candidate',
      'assay.created': expect.any(String),
    });
  });
});

describe('builds at the same time', () => {
  it('of one submission are one', async () => {
    const files = { ...buildScript('sleep 1; date +%s%N > when'), 'server.js': 'once' };
    const outcomes = await Promise.all([builds.build(files), builds.build(files), builds.build(files)]);
    expect(new Set(outcomes.map(imageOf)).size).toBe(1);
  });

  it('that are aborted leave nothing, and leave the others alone', async () => {
    const files = { ...buildScript('sleep 2; echo done'), 'server.js': 'aborted' };
    const abort = new AbortController();
    const given = builds.build(files, { signal: abort.signal });
    const kept = builds.build(files);
    setTimeout(() => abort.abort(new Error('enough')), 1000);
    await expect(given).rejects.toThrow('enough');
    expect((await kept).ok).toBe(true);

    const alone = builds.build(buildScript('sleep 60'), { signal: AbortSignal.timeout(1000) });
    await expect(alone).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect.poll(() => builds.leftovers(), { timeout: 10_000 }).toEqual([]);
  });
});

describe('the cache', () => {
  it('is emptied of what nobody uses', async () => {
    const signal = AbortSignal.timeout(60_000);
    const image = imageOf(await builds.build(buildScript('echo keep > kept')));
    const user = await builds.client.api.createContainer({ Image: image, Cmd: ['true'] });
    try {
      const spared = await builds.builder.collectImages({ maxAgeMs: 0, maxBytes: 0 }, signal);
      expect(spared.removed).toEqual([]);
      const limits = { maxAgeMs: 0, maxBytes: 0, sparedMs: 0 };
      await expect
        .poll(async () => {
          await builds.builder.collectImages(limits, signal);
          return builds.cachedImages();
        })
        .toEqual([image]);
    } finally {
      await user.remove({ force: true });
    }
  });
});
