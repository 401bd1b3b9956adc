import { describe, expect, it } from 'vitest';
import { decideStartPlan } from '../../../src/grading/start-plan.ts';
import { submissionOf } from '../../helpers/canonical-submission.ts';

function attempt(files: Record<string, string>) {
  return () => decideStartPlan(submissionOf({ 'server.js': '', ...files }), ['node', 'python']);
}

function npm(fields: object, lock?: object) {
  const manifest = JSON.stringify({ scripts: { start: 'node s.js' }, dependencies: { ok: '1' }, ...fields });
  return attempt({
    'package.json': manifest,
    ...(lock ? { 'package-lock.json': JSON.stringify(lock) } : {}),
  });
}

function pip(requirements: string) {
  return attempt({ 'requirements.txt': requirements, 'app.py': '' });
}

const REFUSED = { code: 'DEPENDENCY_SOURCE', blame: 'candidate' };

describe('npm dependencies from elsewhere', () => {
  it.each([
    'git+ssh://git@10.0.0.1/a.git',
    'git://10.0.0.1/a',
    'http://169.254.169.254/latest.tgz',
    'https://example.org/a.tgz',
    'github:user/repo',
    'user/repo',
    'user/repo#semver:1',
    'file:../x',
    './x',
    '../x',
    '~/x',
    '/etc',
    'x.tgz',
    '.x',
    'link:../x',
    'workspace:*',
    'npm:other@https://example.org/a.tgz',
    'npm:other@npm:again@1',
  ])('are refused: %s', (spec) => {
    expect(npm({ dependencies: { bad: spec } })).toThrow(expect.objectContaining(REFUSED));
    expect(npm({ devDependencies: { bad: spec } })).toThrow(expect.objectContaining(REFUSED));
    expect(npm({ overrides: { a: { b: spec } } })).toThrow(expect.objectContaining(REFUSED));
    expect(npm({}, { packages: { '': { dependencies: { bad: spec } } } })).toThrow(
      expect.objectContaining(REFUSED),
    );
  });

  it.each([
    '1',
    '^1.2.3',
    '>=1 <2 || ~3.1.0-beta.1',
    '*',
    '',
    'latest',
    'next-11',
    'npm:other@^1',
    'npm:@s/o',
  ])('are taken from the registry: "%s"', (spec) => {
    expect(npm({ dependencies: { good: spec, '@scope/good': spec } })).not.toThrow();
  });

  it('are refused under any name, the odd ones included', () => {
    const manifest = '{"scripts":{"start":"x"},"dependencies":{"ok":"1","__proto__":"git://10.0.0.1/a"}}';
    expect(attempt({ 'package.json': manifest })).toThrow(expect.objectContaining(REFUSED));
    expect(npm({ dependencies: { '../../x': '1' } })).toThrow(expect.objectContaining(REFUSED));
  });

  it('name the file, the package and the mend', () => {
    expect(npm({ dependencies: { bad: 'git://10.0.0.1/a' } })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/package\.json: dependencies: "bad" comes from "git:/),
        mend: expect.stringContaining('registry'),
      }),
    );
  });

  it('are no workspaces', () => {
    expect(npm({ workspaces: ['a'] })).toThrow(expect.objectContaining(REFUSED));
  });
});

describe('lockfiles that point elsewhere', () => {
  function resolved(url: unknown) {
    return npm({}, { packages: { 'node_modules/ok': { version: '1.0.0', resolved: url } } });
  }

  it.each([
    'git+ssh://git@example.org/a.git#abc',
    'file:x.tgz',
    'http://10.0.0.1/secret',
    'http://10.0.0.1/a/-/a-1.tgz?x=1',
    'https://user:word@example.org/a/-/a-1.0.0.tgz',
    'ftp://example.org/a/-/a-1.0.0.tgz',
    '../x',
    7,
  ])('are refused: %s', (url) => {
    expect(resolved(url)).toThrow(expect.objectContaining(REFUSED));
    const old = {
      dependencies: { a: { version: '1', dependencies: { b: { version: '1', resolved: url } } } },
    };
    expect(npm({}, old)).toThrow(expect.objectContaining(REFUSED));
  });

  it.each([
    'https://registry.example.org/ok/-/ok-1.0.0.tgz',
    'https://r.example.org/npm/@s/ok/-/ok-1.0.0.tgz',
    undefined,
  ])('have the path of a registry archive; the host is replaced: %s', (url) => {
    expect(resolved(url)).not.toThrow();
  });

  it('link no folders', () => {
    expect(npm({}, { packages: { 'node_modules/x': { link: true, resolved: 'x' } } })).toThrow(
      expect.objectContaining(REFUSED),
    );
    expect(npm({}, { packages: { '../x': {} } })).toThrow(expect.objectContaining(REFUSED));
    expect(npm({}, { dependencies: { x: { version: 'git+ssh://example.org/a' } } })).toThrow(
      expect.objectContaining(REFUSED),
    );
  });
});

describe('pip requirements from elsewhere', () => {
  it.each([
    'http://10.0.0.1/a.whl',
    'flask @ https://example.org/a.whl',
    'flask@https://example.org/a.whl',
    'git+https://example.org/a.git',
    '-e .',
    '--editable=.',
    '.',
    './a',
    'a/b',
    '/etc',
    '-i http://10.0.0.1/',
    '--index-url http://10.0.0.1/',
    '--extra-index-url=http://10.0.0.1/',
    '-f http://10.0.0.1/',
    '--find-links x',
    '--trusted-host x',
    '--no-binary :all:',
    '--no-binary=x',
    '--only-binary :none:',
    '-r http://10.0.0.1/r.txt',
    '-r ../../etc/passwd',
    '-c /etc/passwd',
    'flask --config-settings=a=b',
    'flask --global-option=x',
    'flask==1 \\\n  --index-url http://10.0.0.1/',
    'flask # fine\nhttp\\\n://10.0.0.1/a.whl',
    'flask ; python_version > "3" @ http://10.0.0.1',
  ])('are refused: %s', (line) => {
    expect(pip(`redis\n${line}\n`)).toThrow(expect.objectContaining(REFUSED));
  });

  it('cannot hide behind line ends that only Python knows', () => {
    for (const end of ['\v', '\f', '\u001c', '\u0085', '\u2028']) {
      expect(pip(`flask #${end}-i http://10.0.0.1/\n`)).toThrow(
        expect.objectContaining({ code: 'MANIFEST_INVALID' }),
      );
    }
  });

  it('are taken from the index, in all forms that PEP 508 has for it', () => {
    const lines = [
      '# comment',
      'flask',
      'Flask>=3,<4  # comment',
      'uvicorn[standard]~=0.20 ; python_version >= "3.9" and sys_platform == "linux"',
      'a.b-c_d (==1.0)',
      'x!=1.*,>=0 \\',
      '  --hash=sha256:abcdef0123 \\',
      '  --hash=sha512:abcdef0123',
      '--require-hashes',
      '--pre',
      '',
    ];
    expect(pip(lines.join('\r\n'))).not.toThrow();
  });

  it('name file and line', () => {
    expect(pip('flask\n\n# x\nredis\\\n==1\n-e .\n')).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^requirements\.txt:6: "-e \."/) }),
    );
    const toml = '[project]\ndependencies = ["a @ http://10.0.0.1/a.whl"]\n';
    expect(attempt({ 'pyproject.toml': toml, 'app.py': '' })).toThrow(
      expect.objectContaining({ ...REFUSED, message: expect.stringContaining('project.dependencies[0]') }),
    );
  });
});
