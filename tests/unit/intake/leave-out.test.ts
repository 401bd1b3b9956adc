import { describe, expect, test } from 'vitest';
import { buildZip } from '../../helpers/archives.ts';
import { inspect } from '../../helpers/intake.ts';

async function review(files: Record<string, string>): Promise<{ paths: string[]; notices: string[] }> {
  const entries = Object.entries(files).map(([name, content]) => ({ name, content }));
  const { reviewed } = await inspect(buildZip(entries));
  const kept = reviewed?.nodes.filter(({ kind }) => kind === 'file') ?? [];
  return { paths: kept.map(({ path }) => path), notices: reviewed?.notices ?? [] };
}

describe('A32: what is left out', () => {
  test('the history, wherever the project begins', async () => {
    const flat = await review({ 'a.js': '1', 'lib/b.js': '1', '.git/hooks/pre-commit': '#!/bin/sh' });
    expect(flat.paths).toEqual(['a.js', 'lib/b.js']);
    expect(flat.notices).toEqual(['".git" was left out: the history is not graded.']);
    const inFolder = await review({
      'app/a.js': '1',
      'app/.git/HEAD': 'x',
      '__MACOSX/app/._a.js': 'x',
      '._app': 'x',
    });
    expect(inFolder.paths).toEqual(['app/a.js']);
    expect(inFolder.notices).toEqual([
      '"app/.git" was left out: the history is not graded.',
      'Files of macOS (__MACOSX, .DS_Store, ._*) were left out.',
    ]);
  });

  test('a repository deeper inside is data of the project', async () => {
    const { paths } = await review({ 'a.js': '1', 'fixtures/.git/HEAD': 'x', 'b/c.js': '1' });
    expect(paths).toContain('fixtures/.git/HEAD');
  });

  test('names that only begin alike are kept', async () => {
    const files = { '.gitignore': 'x', '.github/ci.yaml': 'x', 'pip.config': 'x', 'my.npmrc': 'x' };
    expect(await review(files)).toEqual({ paths: Object.keys(files).sort(), notices: [] });
  });

  test('settings of package clients, anywhere', async () => {
    const { paths, notices } = await review({
      '.npmrc': 'registry=x',
      'a/pip.conf': '[global]',
      '.pypirc': '',
      'b.js': '',
    });
    expect(paths).toEqual(['b.js']);
    expect(notices).toHaveLength(3);
    expect(notices[0]).toBe('".npmrc" was left out: the build has its own settings.');
  });

  test('dependencies, Dockerfile and compose file stay', async () => {
    const files = { Dockerfile: 'FROM x', 'docker-compose.yml': 'x', 'node_modules/p/index.js': 'x' };
    expect((await review(files)).paths).toEqual(Object.keys(files).sort());
  });
});

describe('likely secrets', () => {
  const secrets: [kind: string, path: string, content: string, value: string][] = [
    ['an AWS access key', 'deploy.py', `key = "AKIA${'A1B2'.repeat(4)}"`, 'A1B2A1B2'],
    ['a private key', 'id_rsa', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz', 'b3BlbnNz'],
    ['a private key', 'key.pem', '-----BEGIN PRIVATE KEY-----\nMIIEvQ', 'MIIEvQ'],
    ['a GitHub token', 'a.sh', `export T=ghp_${'abc123'.repeat(6)}`, 'abc123abc123'],
    ['a GitLab token', 'a.sh', `glpat-${'abcde12345'.repeat(2)}`, 'abcde12345'],
    ['a Slack token', 'a.ts', `xoxb-${'1234567890'}-abc`, '1234567890'],
    ['a Stripe key', 'a.ts', `sk_live_${'abcd1234'.repeat(2)}`, 'abcd1234'],
    ['a Google API key', 'a.ts', `AIza${'abcde'.repeat(7)}`, 'abcdeabcde'],
    ['a package registry token', '.npmrc', '//registry.test/:_authToken=0123456789abc', '0123456789abc'],
    ['a package registry token', '.pypirc', '[pypi]\npassword = hunter2hunter2', 'hunter2'],
    ['a password or token', '.env', 'PORT=1\nDB_PASSWORD=correct-horse', 'correct-horse'],
    ['a password or token', 'app/.env.production', "export API_KEY='s3cr3t-value'", 's3cr3t'],
  ];

  test.each(secrets)('%s in %s is named, its value is not', async (kind, path, content, value) => {
    const { notices } = await review({ 'main.js': 'x', [path]: content });
    const shown = notices.filter((notice) => notice.includes(kind));
    expect(shown).toEqual([`"${path}" seems to hold ${kind}: withdraw it where it is used.`]);
    expect(notices.join()).not.toContain(value);
  });

  test.each([
    ['.env.example', 'DB_PASSWORD=correct-horse'],
    ['.env', 'DB_PASSWORD=change-me-please\nAPI_TOKEN=${OTHER_TOKEN_VALUE}\nTOKEN=short'],
    ['README.md', 'Set AKIA and ghp_ tokens, see PRIVATE KEY.'],
    ['node_modules/tls/test/key.pem', '-----BEGIN PRIVATE KEY-----'],
  ])('nothing is said of %s', async (path, content) => {
    expect((await review({ 'main.js': 'x', [path]: content })).notices).toEqual([]);
  });

  test('many of them are counted', async () => {
    const key = '-----BEGIN PRIVATE KEY-----';
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`k${index}.pem`, key]));
    const { notices } = await review(files);
    expect(notices).toHaveLength(21);
    expect(notices.at(-1)).toBe('The same holds for 10 more.');
  });

  test('no content makes the search slow', async () => {
    const started = performance.now();
    for (const unit of ['TOKEN', 'SECRET_', '_auth ', '-----BEGIN AA ', '\tpassword\t']) {
      await inspect(buildZip([{ name: '.env', content: unit.repeat(100_000) }]), { ratio: 1e9 });
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
