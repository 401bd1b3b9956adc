import { loadChallenge } from '../../challenges/load-challenge.ts';
import { loadSamples } from '../../challenges/load-samples.ts';
import { bundleEntries, withUnpackedBundle } from '../../challenges/unpack-bundle.ts';
import type { Challenge } from '../../domain/challenge.ts';
import { SpecError } from '../../domain/errors.ts';
import { packTar } from '../../shared/tar-buffer.ts';
import type { NewVersion } from '../../store/challenge-store.ts';

/** A bundle that was read and found good, ready to be stored. */
export interface ReadBundle {
  tar: Buffer;
  version: Omit<NewVersion, 'bundleBlob'>;
}

/** Validates an inspected bundle, samples included, unpacked below `folder` meanwhile. Throws SpecError with every mistake and its place. */
export async function readBundle(inspected: Buffer, folder: string): Promise<ReadBundle> {
  const entries = bundleEntries(inspected);
  const challenge = await withUnpackedBundle(folder, entries, async (directory) => {
    try {
      const loaded = await loadChallenge(directory);
      await loadSamples(loaded);
      return loaded;
    } catch (error) {
      throw error instanceof SpecError ? withoutFolder(error, directory) : error;
    }
  });
  return { tar: packTar(entries), version: toVersion(challenge) };
}

/** Where we unpacked it is no business of the uploader's. */
function withoutFolder(error: SpecError, directory: string): SpecError {
  function clean(text: string): string {
    return text.replaceAll(`${directory}/`, '').replaceAll(directory, 'the bundle');
  }
  return new SpecError(
    error.problems.map((problem) => ({
      ...problem,
      file: clean(problem.file),
      message: clean(problem.message),
      ...(problem.mend === undefined ? {} : { mend: clean(problem.mend) }),
    })),
  );
}

function toVersion({ file, digest }: Challenge): ReadBundle['version'] {
  const { max, window, dryRuns, late } = file.attempts;
  return {
    slug: file.slug,
    title: file.title,
    blind: file.blind,
    digest,
    policy: {
      max,
      windowMs: window,
      dryRuns,
      late,
      runtimes: file.build.runtimes,
      feedback: file.feedback.candidate,
      rubric: file.rubric,
    },
  };
}
