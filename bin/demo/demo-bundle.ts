import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { listBundleFiles } from '../../src/challenges/bundle-files.ts';
import type { SpecProblem } from '../../src/domain/errors.ts';
import { packTar } from '../../src/shared/tar-buffer.ts';
import type { TarEntry } from '../../src/shared/tar-buffer.ts';

const PLAN = 'hidden/load.yaml';

/** The bundle as tar.gz without its samples, with the short load shape that its plan names in the place of the long one. */
export async function packDemoBundle(folder: string, profile: string): Promise<Buffer> {
  // Their expectations are of the whole plan; the demo hands them in itself.
  const entries = await readFolder(folder, (path) => !path.startsWith('submissions/'));
  return await promisify(gzip)(
    packTar(
      entries.map((entry) =>
        entry.path === PLAN ? { ...entry, content: shorten(entry.content, profile) } : entry,
      ),
    ),
  );
}

function shorten(plan: Buffer, profile: string): Buffer {
  const document = parseDocument(plan.toString());
  const shape: unknown = document.getIn(['profiles', profile, 'shape']);
  if (shape === undefined) {
    throw new Error(`${PLAN} has no profile "${profile}"`);
  }
  document.set('shape', shape);
  // A short shape looks for no highest rate, and then a plan must not ask for one.
  const thresholds = z.array(z.looseObject({ that: z.string() })).parse(document.toJS().thresholds);
  document.set(
    'thresholds',
    thresholds.filter(({ that }) => !that.startsWith('knee')),
  );
  return Buffer.from(document.toString());
}

/** A sample's folder as tar.gz, without what its author expects of it. */
export async function packSample(folder: string): Promise<Buffer> {
  return await promisify(gzip)(packTar(await readFolder(folder, (path) => path !== 'expect.yaml')));
}

/** These folders come with assay: the service reads what they are packed to as it would a stranger's. */
async function readFolder(folder: string, wanted: (path: string) => boolean): Promise<TarEntry[]> {
  const problems: SpecProblem[] = [];
  const files = (await listBundleFiles(folder, problems)).filter(wanted);
  const [problem] = problems.filter(({ file }) => wanted(file));
  if (problem) {
    throw new Error(`${folder}/${problem.file} ${problem.message}`);
  }
  return await Promise.all(
    files.map(async (path) => {
      const file = join(folder, path);
      const [content, { mode }] = await Promise.all([readFile(file), stat(file)]);
      return { path, type: 'file' as const, executable: (mode & 0o100) !== 0, content };
    }),
  );
}
