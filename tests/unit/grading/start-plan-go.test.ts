import { describe, expect, it } from 'vitest';
import { IntakeError } from '../../../src/domain/errors.ts';
import { decideStartPlan } from '../../../src/grading/start-plan.ts';
import { submissionOf } from '../../helpers/canonical-submission.ts';

const MOD = 'module example.org/inventory\n\ngo 1.24\n';
const MAIN = '// Serves.\npackage main\n\nfunc main() {}\n';

function plan(files: Record<string, string>) {
  return decideStartPlan(submissionOf(files), ['node', 'go']);
}

function refusal(files: Record<string, string>): IntakeError {
  try {
    plan(files);
  } catch (error) {
    if (error instanceof IntakeError) {
      return error;
    }
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a Go project', () => {
  it('is told by its go.mod, built and started, with nothing to install', () => {
    expect(plan({ 'go.mod': MOD, 'main.go': MAIN, 'store.go': 'package main\n' })).toMatchObject({
      runtime: 'go',
      decidedBy: 'main.go',
      install: null,
      manifests: [],
      build: ['build-go', '-o', '.assay/service', '.'],
      start: ['/app/.assay/service'],
    });
  });

  it('may have its main package under cmd/', () => {
    const files = { 'go.mod': MOD, 'store.go': 'package inventory\n', 'cmd/serve/main.go': MAIN };
    expect(plan(files).build).toEqual(['build-go', '-o', '.assay/service', './cmd/serve']);
    const two = refusal({ ...files, 'cmd/migrate/main.go': MAIN });
    expect(two).toMatchObject({ code: 'NO_START_COMMAND' });
    expect(two.message).toContain('./cmd/migrate');
  });

  it('without a main package cannot be started', () => {
    const files = { 'go.mod': MOD, 'main_test.go': MAIN, 'store.go': 'package store\n' };
    expect(refusal(files)).toMatchObject({ code: 'NO_START_COMMAND' });
  });

  it.each([
    ['a line', 'require golang.org/x/text v0.3.0\n'],
    ['a block', 'require (\n\tgolang.org/x/text v0.3.0\n)\n'],
    ['a commented block', 'require ( // direct\n\tgolang.org/x/text v0.3.0\n)\n'],
  ])('downloads modules that it requires in %s, from proxies alone', (_what, lines) => {
    const found = plan({ 'go.mod': MOD + lines, 'go.sum': '', 'main.go': MAIN });
    expect(found.manifests).toEqual(['go.mod', 'go.sum']);
    expect(found.install?.at(-1)).toMatch(/s\/\[,\|\]direct\/\/g.*GOVCS="\*:off".*go mod download$/);
  });

  it('downloads nothing for an empty block, or with vendored modules', () => {
    expect(plan({ 'go.mod': `${MOD}require (\n)\n`, 'main.go': MAIN }).install).toBeNull();
    const vendored = plan({
      'go.mod': `${MOD}require golang.org/x/text v0.3.0\n`,
      'vendor/modules.txt': '# golang.org/x/text v0.3.0\n',
      'main.go': MAIN,
    });
    expect(vendored).toMatchObject({ install: null, notices: [expect.stringContaining('vendor')] });
  });

  it('that needs a folder outside of itself is refused', () => {
    const error = refusal({ 'go.mod': `${MOD}replace a.org/b => ../b\n`, 'main.go': MAIN });
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID' });
    expect(error.message).toContain('=> ../b');
    expect(plan({ 'go.mod': `${MOD}replace a.org/b => ./b\n`, 'main.go': MAIN }).runtime).toBe('go');
  });

  it('that is started by "go run" is built once instead', () => {
    const files = { 'go.mod': MOD, 'cmd/a/main.go': MAIN, Procfile: 'web: go run ./cmd/a -v' };
    expect(plan(files)).toMatchObject({
      build: ['build-go', '-o', '.assay/service', './cmd/a'],
      start: ['/app/.assay/service', '-v'],
    });
  });

  it('whose start names a binary gets it built there; stated commands stand', () => {
    const files = { 'go.mod': MOD, 'main.go': MAIN };
    expect(plan({ ...files, Procfile: 'web: bin/app --x' })).toMatchObject({
      build: ['build-go', '-o', 'bin/app', '.'],
      start: ['bin/app', '--x'],
    });
    expect(plan({ ...files, 'run.sh': '', Procfile: 'web: ./run.sh' }).build).toBeNull();
    const stated = plan({ ...files, 'assay.yaml': 'build: make\nstart: bin/app\n' });
    expect(stated).toMatchObject({ build: ['make'], start: ['bin/app'] });
  });

  it.each([
    ['left out by a constraint', '//go:build ignore\n\npackage main\n'],
    ['of another package, with the words in a comment', '/*\npackage main\n*/\npackage tool\n'],
    ['of another package, with the words in a text', 'package tool\n\nvar s = `\npackage main\n`\n'],
  ])('has its main package under cmd/ beside a file %s', (_what, tool) => {
    const main = `// Says what it does.\n/* And\nmore. */ ${MAIN}`;
    const { build } = plan({ 'go.mod': MOD, 'tool.go': tool, 'cmd/a/main.go': main });
    expect(build).toEqual(['build-go', '-o', '.assay/service', './cmd/a']);
  });

  it('without a go.mod is no project, and the mend says how to make one', () => {
    expect(refusal({ 'main.go': MAIN })).toMatchObject({
      code: 'NO_PROJECT',
      mend: expect.stringContaining('go mod init'),
    });
    expect(refusal({ 'go.mod': 'go 1.24\n', 'main.go': MAIN }).message).toContain('module');
  });
});
