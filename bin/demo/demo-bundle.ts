import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import { packTar, readTar } from '../../src/shared/tar-buffer.ts';

const PLAN = 'hidden/load.yaml';

/** The bundle as tar.gz without its samples, with the short load shape that its plan names in the place of the long one. */
export async function packDemoBundle(folder: string, profile: string, signal: AbortSignal): Promise<Buffer> {
  const { tar } = await inspectSubmission({ path: folder }, {}, signal);
  const entries = readTar(tar)
    // Their expectations are of the whole plan; the demo hands them in itself.
    .filter(({ path }) => !path.startsWith('submissions/'))
    .map((entry) => (entry.path === PLAN ? { ...entry, content: shorten(entry.content, profile) } : entry));
  return await promisify(gzip)(packTar(entries));
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
export async function packSample(folder: string, signal: AbortSignal): Promise<Buffer> {
  const { tar } = await inspectSubmission({ path: folder }, {}, signal);
  return await promisify(gzip)(packTar(readTar(tar).filter(({ path }) => path !== 'expect.yaml')));
}
