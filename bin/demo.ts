// Grades five sample submissions of the url-shortener challenge and compares the verdicts with the expected ones.
import { join } from 'node:path';
import { loadChallenge } from '../src/challenges/load-challenge.ts';
import { loadSamples } from '../src/challenges/load-samples.ts';
import { EXIT } from '../src/cli/exit-codes.ts';
import { closeQuietly } from '../src/cli/grade-command.ts';
import { makeProgressView } from '../src/cli/progress-view.ts';
import { writeReport } from '../src/cli/write-report.ts';
import { openGrading } from '../src/compose.ts';
import { readConfig } from '../src/config.ts';
import { formatMs } from '../src/domain/units.ts';
import { gradeSample } from '../src/grading/grade-sample.ts';
import type { GradedSample } from '../src/grading/grade-sample.ts';
import { inspectSubmission } from '../src/intake/inspect-submission.ts';
import { systemClock } from '../src/shared/clock.ts';

const BUNDLE = 'challenge-specs/url-shortener';
const SAMPLES = [
  'reference-node',
  'reference-python',
  'broken-memory-only',
  'broken-first-draft',
  'broken-build-fails',
];

async function demo(signal: AbortSignal): Promise<number> {
  const config = readConfig();
  const challenge = await loadChallenge(BUNDLE, { profile: 'demo' });
  const samples = (await loadSamples(challenge)).filter((sample) => SAMPLES.includes(sample.name));
  if (samples.length !== SAMPLES.length) {
    throw new Error(
      `the demo wants ${SAMPLES.join(', ')}; the bundle has ${samples.map((one) => one.name).join(', ')}`,
    );
  }
  const grading = await openGrading(config);
  const rows: { graded: GradedSample; page: string }[] = [];
  try {
    for (const name of SAMPLES) {
      const sample = samples.find((one) => one.name === name);
      if (sample === undefined) {
        continue;
      }
      process.stderr.write(`\n${name}${sample.expectation.about ? ` — ${sample.expectation.about}` : ''}\n`);
      const submission = await inspectSubmission({ path: sample.directory }, {}, signal);
      const view = makeProgressView(process.stderr, systemClock);
      const deps = { ...grading.deps, onProgress: view.onProgress };
      const graded = await gradeSample(challenge, sample, submission, deps, signal).finally(() => view.end());
      signal.throwIfAborted();
      const folder = join(config.home, 'reports', `demo-${name}`);
      await writeReport(graded, folder);
      rows.push({ graded, page: join(folder, 'report.html') });
    }
  } finally {
    await closeQuietly(grading, process.stderr);
  }
  process.stdout.write(renderTable(rows));
  return rows.every(({ graded }) => graded.differences.length === 0) ? EXIT.passed : EXIT.notPassed;
}

function renderTable(rows: readonly { graded: GradedSample; page: string }[]): string {
  const lines = rows.map(({ graded, page }) => {
    const { outcome, run } = graded.report;
    const mark = graded.differences.length === 0 ? '✓' : '✗';
    const score = outcome.score === null ? '–' : String(outcome.score);
    const cells = [
      mark,
      graded.sample.name.padEnd(24),
      graded.sample.expectation.verdict.padEnd(9),
      (outcome.verdict ?? outcome.status).padEnd(12),
      score.padStart(5),
      formatMs(run.durationMs).padStart(9),
      ` ${page}`,
    ];
    return [cells.join(' '), ...graded.differences.map((difference) => `    ${difference}`)].join('\n');
  });
  const head = `  ${'submission'.padEnd(24)} ${'expected'.padEnd(9)} ${'verdict'.padEnd(12)} score      time  report`;
  const wrong = rows.filter(({ graded }) => graded.differences.length > 0).length;
  const verdict =
    wrong === 0 ? `All ${rows.length} came out as expected.` : `${wrong} did not come out as expected.`;
  return `\n${[head, ...lines, '', verdict].join('\n')}\n`;
}

const controller = new AbortController();
process.once('SIGINT', () => controller.abort(new Error('interrupted')));
try {
  process.exitCode = await demo(controller.signal);
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = controller.signal.aborted ? EXIT.interrupted : EXIT.ours;
}
