import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GradedRun } from '../grading/grade-run.ts';
import { renderCsv } from '../report/render/csv.ts';
import { renderHtml } from '../report/render/html.ts';
import { renderJunit } from '../report/render/junit.ts';
import { renderMarkdown } from '../report/render/markdown.ts';

/**
 * Writes the report in all its formats (report.json, .html, .md, junit.xml, checks.csv) and the graders' artifacts into
 * `folder`, which is made when missing.
 */
export async function writeReport({ report, artifacts }: GradedRun, folder: string): Promise<void> {
  await mkdir(join(folder, 'artifacts'), { recursive: true });
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(folder, 'report.html'), renderHtml(report));
  await writeFile(join(folder, 'report.md'), renderMarkdown(report));
  await writeFile(join(folder, 'junit.xml'), renderJunit(report));
  await writeFile(join(folder, 'checks.csv'), renderCsv(report));
  for (const artifact of artifacts) {
    await writeFile(join(folder, 'artifacts', artifact.name), artifact.content);
  }
}
