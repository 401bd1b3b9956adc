import { describe, expect, it } from 'vitest';
import { IntakeError } from '../../../src/domain/errors.ts';
import { decideStartPlan } from '../../../src/grading/start-plan.ts';
import { submissionOf } from '../../helpers/canonical-submission.ts';

function plan(files: Record<string, string>, allowed: ('node' | 'python')[] = ['node', 'python']) {
  return decideStartPlan(submissionOf(files), allowed);
}

function refusal(files: Record<string, string>, allowed?: ('node' | 'python')[]): IntakeError {
  try {
    plan(files, allowed);
  } catch (error) {
    if (error instanceof IntakeError) {
      return error;
    }
    throw error;
  }
  throw new Error('it was not refused');
}

function manifest(fields: object): string {
  return JSON.stringify({ name: 'x', ...fields });
}

const PACKAGE = manifest({ scripts: { start: 'node server.js' } });

describe('which rule decides', () => {
  it('assay.yaml before all others', () => {
    const found = plan({
      'assay.yaml': 'build: make all\nstart: [./bin/serve, "--port=1 2"]\n',
      Procfile: 'web: node procfile.js',
      'package.json': PACKAGE,
    });
    expect(found).toMatchObject({
      decidedBy: 'assay.yaml',
      runtime: 'node',
      build: ['make', 'all'],
      start: ['./bin/serve', '--port=1 2'],
    });
  });

  it('the Procfile before scripts.start', () => {
    const found = plan({ Procfile: 'web: node procfile.js --port $PORT', 'package.json': PACKAGE });
    expect(found).toMatchObject({
      decidedBy: 'Procfile',
      start: ['sh', '-c', 'exec node procfile.js --port $PORT'],
    });
  });

  it.each<[string, Record<string, string>, string, string[]]>([
    ['scripts.start', { 'package.json': PACKAGE }, 'package.json scripts.start', ['node', 'server.js']],
    [
      'main',
      { 'package.json': manifest({ main: './lib/app' }), 'lib/app.js': '' },
      'package.json main',
      ['node', 'lib/app.js'],
    ],
    ['server.js', { 'package.json': manifest({}), 'server.js': '' }, 'server.js', ['node', 'server.js']],
    [
      'index.js',
      { 'package.json': manifest({ main: 'gone.js' }), 'index.js': '' },
      'index.js',
      ['node', 'index.js'],
    ],
    ['a bare server.js', { 'server.js': '' }, 'server.js', ['node', 'server.js']],
    ['app.py', { 'requirements.txt': '', 'app.py': '', 'main.py': '' }, 'app.py', ['python3', 'app.py']],
    ['a bare main.py', { 'main.py': '' }, 'main.py', ['python3', 'main.py']],
  ])('%s', (_name, files, decidedBy, start) => {
    expect(plan(files)).toMatchObject({ decidedBy, start, install: null, build: null });
  });
});

describe('the runtime', () => {
  it('is refused when the challenge does not take it', () => {
    const error = refusal({ 'package.json': PACKAGE }, ['python']);
    expect(error.code).toBe('RUNTIME_NOT_ALLOWED');
    expect(error.mend).toContain('python');
  });

  it('is told by the command where two manifests are there', () => {
    const both = { 'package.json': PACKAGE, 'requirements.txt': '' };
    expect(plan({ ...both, Procfile: 'web: gunicorn app:app' }).runtime).toBe('python');
    expect(plan({ ...both, 'assay.yaml': 'start: sh -c "exec node x.js"' }).runtime).toBe('node');
    expect(plan({ ...both, 'assay.yaml': 'runtime: python\nstart: ./run' }).runtime).toBe('python');
    expect(plan({ ...both, 'app.py': '' }, ['python']).runtime).toBe('python');
    expect(refusal(both).code).toBe('RUNTIME_AMBIGUOUS');
    expect(refusal({ ...both, 'assay.yaml': 'start: ./run' }).mend).toContain('assay.yaml');
  });

  it('is unknown without a project, and the mend says where one lies', () => {
    expect(refusal({ 'README.md': '' }).code).toBe('NO_PROJECT');
    const error = refusal({ 'README.md': '', 'backend/package.json': PACKAGE });
    expect(error.code).toBe('NO_PROJECT');
    expect(error.mend).toContain('backend/package.json');
  });

  it('without anything to start is refused', () => {
    expect(refusal({ 'package.json': manifest({}) })).toMatchObject({ code: 'NO_START_COMMAND' });
    expect(refusal({ 'requirements.txt': '', 'run.py': '' })).toMatchObject({ code: 'NO_START_COMMAND' });
  });
});

describe('one folder on top', () => {
  it('is the project', () => {
    const found = plan({ 'my-app/package.json': PACKAGE, 'my-app/server.js': '' });
    expect(found).toMatchObject({ root: 'my-app', start: ['node', 'server.js'] });
  });

  it('is none when a file lies beside it', () => {
    expect(refusal({ 'my-app/package.json': PACKAGE, 'README.md': '' }).code).toBe('NO_PROJECT');
  });
});

describe('start scripts of package.json', () => {
  function startOf(scripts: Record<string, string>): string[] {
    return plan({ 'package.json': manifest({ scripts }) }).start;
  }

  it.each<[string, Record<string, string>, string[]]>([
    ['env prefix', { start: 'PORT=1 node x.js' }, ['env', 'PORT=1', 'node', 'x.js']],
    ['npx', { start: 'npx --yes tsx src/main.ts' }, ['tsx', 'src/main.ts']],
    ['npx with options of its own', { start: 'npx -p tsx tsx a.ts' }, ['npx', '-p', 'tsx', 'tsx', 'a.ts']],
    ['a tool of node_modules/.bin', { start: 'next start -p 80' }, ['next', 'start', '-p', '80']],
    [
      'another script',
      { start: 'npm run -s serve -- --x 1', serve: 'A=1 node s.js' },
      ['env', 'A=1', 'node', 's.js', '--x', '1'],
    ],
    [
      'another script in a shell',
      { start: 'npm run serve -- --x', serve: 'node $S' },
      ['sh', '-c', 'exec node $S "$@"', 'start', '--x'],
    ],
    ['a build that was run already', { start: 'npm run build && node d.js', build: 'tsc' }, ['node', 'd.js']],
    ['a script of that name elsewhere', { start: 'npm run toString' }, ['npm', 'run', 'toString']],
  ])('%s', (_name, scripts, start) => {
    expect(startOf(scripts)).toEqual(start);
  });

  it('that only lead to each other are refused', () => {
    expect(
      refusal({ 'package.json': manifest({ scripts: { start: 'npm run a', a: 'npm start' } }) }).code,
    ).toBe('NO_START_COMMAND');
  });
});

describe('installing npm packages', () => {
  const dependencies = { ms: '^2.1.3' };
  const scripts = { start: 'node s.js' };

  it('skips what is not there', () => {
    expect(plan({ 'package.json': manifest({ scripts, devDependencies: dependencies }) }).install).toBeNull();
  });

  it('takes the lockfile, and leaves devDependencies out of a plain node service', () => {
    const found = plan({ 'package.json': manifest({ scripts, dependencies }), 'package-lock.json': '{}' });
    expect(found.install?.slice(0, 2)).toEqual(['npm', 'ci']);
    expect(found.install).toContain('--ignore-scripts');
    expect(found.install).toContain('--omit=dev');
    expect(found.manifests).toEqual(['package.json', 'package-lock.json']);
    expect(found.build).toBeNull();
    expect(found.notices).toEqual([]);
  });

  it('says that versions float without one', () => {
    const found = plan({ 'package.json': manifest({ scripts, dependencies }), 'yarn.lock': '' });
    expect(found.install?.slice(0, 2)).toEqual(['npm', 'install']);
    expect(found.install).toContain('--ignore-scripts');
    expect(found.manifests).toEqual(['package.json']);
    expect(found.notices[0]).toMatch(/^yarn\.lock is not read: versions/);
  });

  it.each([
    ['a build script', { start: 'node s.js', build: 'tsc' }],
    ['a tool that starts', { start: 'tsx s.ts' }],
    ['a loader', { start: 'node --import tsx s.js' }],
  ])('keeps devDependencies for %s', (_name, some) => {
    const found = plan({ 'package.json': manifest({ scripts: some, devDependencies: dependencies }) });
    expect(found.install).not.toBeNull();
    expect(found.install).not.toContain('--omit=dev');
  });

  it('runs install scripts later, when a package has some', () => {
    const lock = JSON.stringify({ packages: { 'node_modules/ms': { hasInstallScript: true } } });
    const found = plan({ 'package.json': manifest({ scripts, dependencies }), 'package-lock.json': lock });
    expect(found.build?.join(' ')).toContain('npm rebuild');
  });

  it('uses node_modules that were handed in', () => {
    const found = plan({
      'package.json': manifest({ scripts, dependencies }),
      'node_modules/ms/index.js': '',
    });
    expect(found).toMatchObject({ install: null, build: null, manifests: [] });
    expect(found.notices[0]).toContain('node_modules');
  });

  it('runs postinstall, build and prestart in the build step, none twice', () => {
    const some = { start: 'node s.js', build: 'tsc', prestart: 'npm run build', postinstall: 'gen' };
    expect(plan({ 'package.json': manifest({ scripts: some }) }).build).toEqual([
      'sh',
      '-ec',
      'npm run postinstall && npm run build',
    ]);
  });
});

describe('python', () => {
  it('starts what has a main block by itself', () => {
    const source = 'app = Flask(__name__)\nif __name__ == "__main__":\n    app.run()\n';
    expect(plan({ 'app.py': source }).start).toEqual(['python3', 'app.py']);
  });

  it.each([
    ['uvicorn', 'api: FastAPI = fastapi.FastAPI(title="x")', 'main:api'],
    ['gunicorn', 'web = Flask(__name__)', 'main:web'],
  ])('gives an application object to %s', (server, source, object) => {
    const found = plan({ 'main.py': `import x\n${source}\n` });
    expect(found.decidedBy).toContain(server);
    expect(found.start.at(-1)).toMatch(new RegExp(`^exec python3 -m ${server} .*${object}`));
    expect(found.start.at(-1)).toContain('$PORT');
  });

  it('installs wheels only, from requirements, pyproject or a folder', () => {
    const some = plan({ 'app.py': '', 'requirements.txt': '-r more.txt\n', 'more.txt': 'flask\n' });
    expect(some.manifests).toEqual(['requirements.txt', 'more.txt']);
    expect(some.install?.join(' ')).toContain('--only-binary=:all:');
    const toml = '[project]\nname = "x"\ndependencies = ["flask>=3", "redis ; python_version > \'3\'"]\n';
    const project = plan({ 'app.py': '', 'pyproject.toml': toml, 'uv.lock': '' });
    expect(project.install?.slice(-2)).toEqual(['flask>=3', "redis ; python_version > '3'"]);
    expect(project.notices[0]).toContain('uv.lock');
    const offline = plan({ 'app.py': '', 'requirements.txt': 'six', 'wheels/six-1-py3-none-any.whl': '' });
    expect(offline.install?.slice(4)).toEqual([
      '--no-index',
      '--find-links',
      'wheels',
      '-r',
      'requirements.txt',
    ]);
    expect(offline.manifests).toContain('wheels/six-1-py3-none-any.whl');
    expect(plan({ 'app.py': '', 'requirements.txt': '# none\n' }).install).toBeNull();
  });
});

describe('manifests that cannot be read', () => {
  it.each<[string, Record<string, string>, string]>([
    ['package.json', { 'package.json': '{,}' }, 'package.json'],
    ['a field', { 'package.json': '{"scripts":{"start":1}}' }, 'scripts.start'],
    [
      'a lockfile',
      {
        'package.json': manifest({ scripts: { start: 'x' }, dependencies: { a: '1' } }),
        'package-lock.json': '{',
      },
      'package-lock.json',
    ],
    ['assay.yaml', { 'assay.yaml': 'start: [', 'server.js': '' }, 'line 1'],
    ['assay.yaml without start', { 'assay.yaml': 'build: make', 'server.js': '' }, 'start'],
    ['assay.yaml with more', { 'assay.yaml': 'start: a\nports: 1', 'server.js': '' }, 'ports'],
    ['pyproject.toml', { 'pyproject.toml': '[project', 'app.py': '' }, 'TOML'],
    ['poetry alone', { 'pyproject.toml': '[tool.poetry.dependencies]\nflask = "*"', 'app.py': '' }, 'poetry'],
    ['an include', { 'requirements.txt': '-r gone.txt', 'app.py': '' }, 'gone.txt'],
  ])('%s', (_name, files, place) => {
    const error = refusal(files);
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toContain(place);
    expect(error.mend).toBeTruthy();
  });

  it('settings of package clients never count as files', () => {
    const found = plan({ 'package.json': PACKAGE, '.npmrc': 'registry=http://10.0.0.1/', 'a/pip.conf': '' });
    expect(found.manifests).toEqual([]);
  });
});
