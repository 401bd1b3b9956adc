import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GradedRun } from '../grading/grade-run.ts';
import { renderHtml } from '../report/render/html.ts';

/** Writes report.json, report.html and the graders' artifacts into `folder`, which is made when missing. */
export async function writeReport({ report, artifacts }: GradedRun, folder: string): Promise<void> {
  await mkdir(join(folder, 'artifacts'), { recursive: true });
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(folder, 'report.html'), renderHtml(report));
  for (const artifact of artifacts) {
    await writeFile(join(folder, 'artifacts', artifact.name), artifact.content);
  }
}
