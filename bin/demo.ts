// Starts the service, hands in five sample submissions over REST, and compares the verdicts with the expected ones.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { loadChallenge } from '../src/challenges/load-challenge.ts';
import { loadSamples } from '../src/challenges/load-samples.ts';
import type { Sample } from '../src/challenges/load-samples.ts';
import { EXIT } from '../src/cli/exit-codes.ts';
import { makeServiceClient } from '../src/cli/service-client.ts';
import type { ServiceClient } from '../src/cli/service-client.ts';
import { makeSubmitView } from '../src/cli/submit-view.ts';
import { readConfig } from '../src/config.ts';
import type { Config } from '../src/config.ts';
import type { Report } from '../src/domain/report.ts';
import { ReportSchema } from '../src/domain/report.ts';
import { formatMs } from '../src/domain/units.ts';
import { compareExpectation } from '../src/grading/compare-expectation.ts';
import { packDemoBundle, packSample } from './demo/demo-bundle.ts';
import { startService } from './demo/service-process.ts';

const BUNDLE = 'challenge-specs/url-shortener';
/** Five different fates, two of which take all the tests there are. */
const SAMPLES = [
  'reference-node',
  'broken-first-draft',
  'broken-wrong-port',
  'broken-crashes-at-start',
  'broken-build-fails',
];

const Version = z.object({ slug: z.string(), version: z.number(), state: z.string() });
const Invitation = z.object({ token: z.string() });
const Accepted = z.object({ id: z.string(), run: z.object({ id: z.string() }) });

interface Handed {
  sample: Sample;
  candidate: ServiceClient;
  id: string;
  runId: string;
}

interface Row {
  sample: Sample;
  report: Report;
  differences: string[];
  page: string;
}

async function demo(signal: AbortSignal): Promise<number> {
  const config = readConfig();
  const home = join(config.home, 'demo');
  const samples = (await loadSamples(await loadChallenge(BUNDLE))).filter(({ name }) =>
    SAMPLES.includes(name),
  );
  if (samples.length !== SAMPLES.length) {
    throw new Error(`the demo wants the samples ${SAMPLES.join(', ')}`);
  }
  say('Starting the service, with a database and a queue of its own …');
  const service = await startService(
    { ...config.childEnv, ASSAY_HOME: home, ASSAY_LOG_LEVEL: 'error', ASSAY_SLOTS: slots(config) },
    signal,
  );
  try {
    const admin = makeServiceClient({ url: service.url, token: await service.adminToken() });
    say(`It listens on ${service.url}`);
    const { slug } = await publish(admin, signal);
    const handed: Handed[] = [];
    for (const sample of samples) {
      handed.push(await handIn(sample, slug, { admin, url: service.url, signal }));
    }
    const rows: Row[] = [];
    for (const one of handed) {
      rows.push(await watch(one, admin, join(config.home, 'reports'), signal));
    }
    process.stdout.write(renderTable(rows));
    return rows.every(({ differences }) => differences.length === 0) ? EXIT.passed : EXIT.notPassed;
  } finally {
    await service.stop();
  }
}

/** More at a time than CPUs: API suites mostly wait, and load still has the machine to itself. */
function slots({ childEnv }: Config): string {
  return childEnv['ASSAY_SLOTS'] ?? '3';
}

/** Uploads the challenge with its short load shape; a version that is there already is used again. */
async function publish(admin: ServiceClient, signal: AbortSignal): Promise<z.output<typeof Version>> {
  const content = await packDemoBundle(BUNDLE, 'demo', signal);
  const order = { path: '/v1/challenges', field: 'bundle', fileName: 'bundle.tar.gz', content };
  const version = Version.parse(await admin.upload(order, signal));
  if (version.state === 'draft') {
    // "assay check" takes minutes; the demo trusts the bundle that it came with.
    await admin.call('POST', `/v1/challenges/${version.slug}/versions/${version.version}/publish?force=true`);
  }
  say(`Challenge ${version.slug}, version ${version.version}, is published`);
  return version;
}

interface Service {
  admin: ServiceClient;
  url: string;
  signal: AbortSignal;
}

async function handIn(sample: Sample, challenge: string, { admin, url, signal }: Service): Promise<Handed> {
  const body = { challenge, candidate: { name: sample.name } };
  const { token } = Invitation.parse(await admin.call('POST', '/v1/invitations', body));
  const candidate = makeServiceClient({ url, token });
  const content = await packSample(sample.directory, signal);
  const view = makeSubmitView(process.stderr, content.length);
  const accepted = Accepted.parse(
    await candidate.upload(
      {
        path: '/v1/submissions',
        field: 'archive',
        fileName: 'work.tar.gz',
        content,
        onProgress: view.uploaded,
      },
      signal,
    ),
  );
  view.end();
  say(`${sample.name} is handed in`);
  return { sample, candidate, id: accepted.id, runId: accepted.run.id };
}

async function watch(
  { sample, candidate, id, runId }: Handed,
  admin: ServiceClient,
  folder: string,
  signal: AbortSignal,
): Promise<Row> {
  say(`\n${sample.name}${sample.expectation.about ? ` — ${sample.expectation.about}` : ''}`);
  const view = makeSubmitView(process.stderr, 0);
  await candidate.follow(`/v1/submissions/${id}/events`, view.event, signal).finally(view.end);
  const report = ReportSchema.parse(await admin.call('GET', `/v1/runs/${runId}/report`));
  const page = join(folder, `demo-${sample.name}.html`);
  await mkdir(folder, { recursive: true });
  await writeFile(page, await admin.text(`/v1/runs/${runId}/report?format=html`));
  return { sample, report, page, differences: compareExpectation(report, sample.expectation) };
}

function renderTable(rows: readonly Row[]): string {
  const lines = rows.map(({ sample, report, page, differences }) => {
    const { outcome, run } = report;
    const cells = [
      differences.length === 0 ? '✓' : '✗',
      sample.name.padEnd(24),
      sample.expectation.verdict.padEnd(9),
      (outcome.verdict ?? outcome.status).padEnd(12),
      (outcome.score === null ? '–' : String(outcome.score)).padStart(5),
      formatMs(run.durationMs).padStart(9),
      ` ${page}`,
    ];
    return [cells.join(' '), ...differences.map((difference) => `    ${difference}`)].join('\n');
  });
  const head = `  ${'submission'.padEnd(24)} ${'expected'.padEnd(9)} ${'verdict'.padEnd(12)} score      time  report`;
  const wrong = rows.filter(({ differences }) => differences.length > 0).length;
  const verdict =
    wrong === 0 ? `All ${rows.length} came out as expected.` : `${wrong} did not come out as expected.`;
  return `\n${[head, ...lines, '', verdict].join('\n')}\n`;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => controller.abort(new Error('interrupted')));
}
try {
  process.exitCode = await demo(controller.signal);
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = controller.signal.aborted ? EXIT.interrupted : EXIT.ours;
}
