import { readFile } from 'node:fs/promises';
import type { GraderEvent } from '../../src/domain/grader-protocol.ts';
import { emitArtifact } from '../shared/emit-artifact.ts';

/** What Locust writes, by the end of its name. */
const FILES: Readonly<Record<string, string>> = {
  '_stats.csv': 'text/csv; charset=utf-8',
  '_stats_history.csv': 'text/csv; charset=utf-8',
  '_failures.csv': 'text/csv; charset=utf-8',
  '_exceptions.csv': 'text/csv; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
};
const MAX_FILE_BYTES = 6 * 1024 * 1024;

/** Hands over the files that one Locust wrote as `<name>_stats.csv` and so on. Answers those that were too large. */
export async function emitLocustFiles(
  emit: (event: GraderEvent) => Promise<void>,
  prefix: string,
  name: string,
): Promise<string[]> {
  const left: string[] = [];
  for (const [ending, contentType] of Object.entries(FILES)) {
    const content = await readFile(`${prefix}${ending}`).catch(() => undefined);
    if (content && content.length > MAX_FILE_BYTES) {
      left.push(`${name}${ending}`);
    } else if (content) {
      await emitArtifact(emit, { name: `${name}${ending}`, contentType, content });
    }
  }
  return left;
}
