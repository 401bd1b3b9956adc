import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** What the service remembers, without a database in it. */
const STORE_PORTS = [
  'store',
  'access-store',
  'challenge-store',
  'event-store',
  'operations-store',
  'page',
  'review-store',
  'run-store',
  'submission-store',
  'webhook-store',
].map((name) => `src/store/${name}.ts`);

/** The import table of the README: folder → what its files may import. A name ending in ".ts" is one file. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  'src/domain': ['src/domain'],
  'src/shared': ['src/shared'],
  'src/challenges': ['src/challenges', 'src/domain', 'src/shared'],
  'src/sandbox': ['src/sandbox', 'src/domain', 'src/shared'],
  'src/report': ['src/report', 'src/domain', 'src/shared'],
  'src/grading': [
    'src/grading',
    'src/domain',
    'src/shared',
    'src/report',
    'src/challenges',
    'src/sandbox/sandbox-engine.ts',
  ],
  'src/intake': ['src/intake', 'src/domain', 'src/shared'],
  'src/services': [
    'src/services',
    'src/domain',
    'src/shared',
    'src/sandbox/sandbox-engine.ts',
    'src/sandbox/docker/docker-client.ts',
    'src/sandbox/docker/images.ts',
    'src/sandbox/docker/removal.ts',
  ],
  'src/store': ['src/store', 'src/domain', 'src/shared'],
  'src/blobs': ['src/blobs', 'src/domain', 'src/shared'],
  'src/queue': ['src/queue', 'src/domain', 'src/shared'],
  'src/worker': [
    'src/worker',
    'src/domain',
    'src/shared',
    'src/grading',
    'src/challenges',
    'src/sandbox/sandbox-engine.ts',
    'src/blobs/blob-store.ts',
    'src/queue/grading-queue.ts',
    ...STORE_PORTS,
  ],
  'src/http': [
    'src/http',
    'src/domain',
    'src/shared',
    'src/intake',
    'src/report',
    'src/challenges',
    'src/blobs/blob-store.ts',
    ...STORE_PORTS,
  ],
  'src/webhooks': ['src/webhooks', 'src/domain', 'src/shared', ...STORE_PORTS],
  graders: ['graders', 'src/domain'],
};

/** Who may use a library; everyone else may not. */
const FENCES: Readonly<Record<string, readonly string[]>> = {
  fastify: ['src/http'],
  'prom-client': ['src/http'],
  dockerode: ['src/sandbox/docker'],
  kysely: ['src/store/postgres'],
  pg: ['src/store/postgres'],
  bullmq: ['src/queue'],
  ioredis: ['src/queue'],
  yauzl: ['src/intake'],
  esbuild: ['src/intake', 'src/sandbox/docker'],
  'hdr-histogram-js': ['graders/load'],
  'json-p3': ['graders/api'],
  ajv: ['graders/api', 'graders/contract', 'src/challenges'],
  'fast-check': ['graders/contract'],
  acorn: ['src/challenges'],
  'fast-xml-parser': ['src/grading'],
};

const IMPORT =
  /(?:^|\n)\s*(?:import|export)[^'"`;]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

interface SourceFile {
  path: string;
  text: string;
}

function importsOf(file: SourceFile): string[] {
  return [...file.text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '');
}

function within(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

/** Every import that the table or a fence forbids, as "file → import". */
function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const folder = Object.keys(TABLE).find((place) => within(file.path, place));
    return importsOf(file)
      .filter((specifier) => {
        if (!specifier.startsWith('.')) {
          const fence = FENCES[specifier];
          return fence !== undefined && !fence.some((place) => within(file.path, place));
        }
        const target = relative(ROOT, resolve(ROOT, dirname(file.path), specifier));
        return folder !== undefined && !TABLE[folder]?.some((place) => within(target, place));
      })
      .map((specifier) => `${file.path} → ${specifier}`);
  });
}

async function sources(folder: string): Promise<SourceFile[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true });
  const paths = entries.filter((path) => path.endsWith('.ts') && !/(^|\/)tests\//.test(path));
  return await Promise.all(
    paths.map(async (path) => ({
      path: `${folder}/${path}`,
      text: await readFile(join(ROOT, folder, path), 'utf8'),
    })),
  );
}

it('keeps to the import table', async () => {
  const files = [...(await sources('src')), ...(await sources('graders'))];

  expect(files.length).toBeGreaterThan(80);
  expect(files.flatMap(importsOf).length).toBeGreaterThan(300);
  expect(violations(files)).toEqual([]);
});

it('finds planted violations', () => {
  const planted: SourceFile[] = [
    { path: 'src/domain/planted.ts', text: "import { x } from '../report/score.ts';" },
    {
      path: 'src/grading/planted.ts',
      text: "import type {\n  A,\n} from '../sandbox/docker/docker-engine.ts';",
    },
    { path: 'src/report/planted.ts', text: "import Docker from 'dockerode';" },
    { path: 'graders/api/planted.ts', text: "export { readConfig } from '../../src/config.ts';" },
    { path: 'src/http/planted.ts', text: "import { x } from '../store/postgres/postgres-store.ts';" },
    { path: 'src/worker/planted.ts', text: "import Fastify from 'fastify';" },
    { path: 'src/intake/planted.ts', text: "const x = await import('../grading/grade-run.ts');" },
  ];

  expect(violations(planted)).toHaveLength(planted.length);
});

it('gives every folder of src a row in the table or a reason to need none', async () => {
  const entries = await readdir(join(ROOT, 'src'), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => `src/${entry.name}`);

  // src/cli is part of main.ts, which may import everything.
  expect(folders.filter((folder) => TABLE[folder] === undefined)).toEqual(['src/cli']);
});
