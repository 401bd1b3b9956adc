import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { InfraError } from '../../domain/errors.ts';
import { readTree, type ContextFile } from './image-files.ts';

/** Folders a grader's bundle can draw on, as the import rules have it. */
const SOURCE_FOLDERS = ['graders', 'src/domain', 'src/shared'];

/** CommonJS dependencies inside an ES module bundle still call `require`. */
const REQUIRE_SHIM =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * What the bundles are made from, for the digest of the image: reading this costs milliseconds where bundling costs
 * hundreds. Tests and prose are left out; a changed lockfile counts as changed libraries.
 */
export async function graderSources(root: string): Promise<ContextFile[]> {
  const trees = await Promise.all(
    SOURCE_FOLDERS.map(async (folder) =>
      (await readTree(join(root, folder)))
        .filter((file) => /\.(ts|py)$/.test(file.path) && !file.path.includes('tests/'))
        .map((file) => ({ path: `${folder}/${file.path}`, content: file.content })),
    ),
  );
  const lock = { path: 'package-lock.json', content: await readFile(join(root, 'package-lock.json')) };
  return [...trees.flat(), lock];
}

/** The folder graders/ of a build context: every grader in one file, and the Python programs beside them. */
export async function graderFiles(root: string): Promise<ContextFile[]> {
  const programs = (await readTree(join(root, 'graders')))
    .filter((file) => file.path.endsWith('.py') && !file.path.includes('tests/'))
    .map((file) => ({ path: `graders/${file.path}`, content: file.content }));
  return [...(await bundleGraders(root)), ...programs];
}

/**
 * Bundles every graders/<name>/main.ts to one ES module, graders/<name>/main.js of the build context.
 * Throws InfraError `GRADER_BROKEN` with the bundler's file and line when one does not compile.
 */
async function bundleGraders(root: string): Promise<ContextFile[]> {
  const names = await graderNames(root);
  const result = await build({
    absWorkingDir: root,
    entryPoints: names.map((name) => ({ in: `graders/${name}/main.ts`, out: `graders/${name}/main` })),
    outdir: '.',
    write: false,
    bundle: true,
    // Its image has it installed: it loads its own parts by path.
    external: ['vitest', 'vitest/*'],
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: REQUIRE_SHIM },
    legalComments: 'none',
    logLevel: 'silent',
  }).catch((error: unknown) => {
    throw new InfraError('GRADER_BROKEN', `a grader does not compile: ${messageOf(error)}`, { cause: error });
  });
  return result.outputFiles
    .map((file) => ({
      path: file.path.slice(root.length + 1),
      content: Buffer.from(file.contents),
    }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function graderNames(root: string): Promise<string[]> {
  const entries = await readdir(join(root, 'graders'), { recursive: true });
  const names = entries.flatMap((path) => /^([^/]+)\/main\.ts$/.exec(path)?.[1] ?? []).toSorted();
  if (names.length === 0) {
    throw new InfraError('GRADER_BROKEN', 'there is no grader to bundle: graders/*/main.ts matches nothing');
  }
  return names;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
