import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { loadChallenge } from '../../src/challenges/load-challenge.ts';
import { loadSamples } from '../../src/challenges/load-samples.ts';
import type { Sample } from '../../src/challenges/load-samples.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { makeServiceClient } from '../../src/cli/service-client.ts';
import type { ServiceClient } from '../../src/cli/service-client.ts';
import type { Report } from '../../src/domain/report.ts';
import { ReportSchema } from '../../src/domain/report.ts';
import { formatBytes, formatMs } from '../../src/domain/units.ts';
import { compareExpectation } from '../../src/grading/compare-expectation.ts';
import { packDemoBundle, packSample } from './demo-bundle.ts';
import { NAME_WIDTH } from './demo-view.ts';
import type { DemoView } from './demo-view.ts';
import type { ServiceProcess } from './service-process.ts';

const BUNDLE = 'challenge-specs/url-shortener';
/** Five different fates, two of which take all the tests there are: the first, and the one that needs less for them, last. */
const SAMPLES = [
  'reference-node',
  'broken-wrong-port',
  'broken-crashes-at-start',
  'broken-build-fails',
  'broken-first-draft',
];

const Version = z.object({ slug: z.string(), version: z.number(), state: z.string() });
const Invitation = z.object({ token: z.string() });
const Accepted = z.object({ id: z.string(), run: z.object({ id: z.string() }) });

/** One sample as it is handed in. */
interface Packed {
  sample: Sample;
  archive: Buffer;
}

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

interface Demo {
  view: DemoView;
  /** Folder of the reports. */
  reports: string;
  signal: AbortSignal;
}

interface Service extends Demo {
  admin: ServiceClient;
  url: string;
}

/** Hands the samples in to a service that may still be starting, and answers the exit code. Stops the service. */
export async function runDemo(starting: Promise<ServiceProcess>, demo: Demo): Promise<number> {
  const { view, signal } = demo;
  const preparing = prepare();
  preparing.catch(() => undefined);
  const serving = await starting;
  const over = new AbortController();
  const accepted: Handed[] = [];
  try {
    const { bundle, packed } = await preparing;
    const { url } = serving;
    const admin = makeServiceClient({ url, token: await serving.adminToken() });
    view.say(`It listens on ${url}; every call: ${url}/docs`);
    const service = { ...demo, admin, url, signal: AbortSignal.any([signal, over.signal]) };
    const { slug } = await publish(bundle, service);
    const watched: Promise<Row>[] = [];
    // One after the other: they are graded in the order in which they come.
    for (const one of packed) {
      const handed = await handIn(one, slug, service);
      accepted.push(handed);
      const row = watch(handed, service);
      row.catch(() => undefined);
      watched.push(row);
    }
    const rows = await Promise.all(watched);
    accepted.length = 0;
    process.stdout.write(renderTable(rows));
    return rows.every(({ differences }) => differences.length === 0) ? EXIT.passed : EXIT.notPassed;
  } finally {
    // Where one has failed, the others are followed no longer.
    over.abort(new Error('the demo is over'));
    await cancelAll(accepted);
    view.say('Stopping the service …');
    await serving.stop();
  }
}

/** Nobody waits for these any more, and the next demo would have to grade them first. */
async function cancelAll(accepted: readonly Handed[]): Promise<void> {
  await Promise.all(
    accepted.map(async ({ id, candidate }) => {
      // One that has ended is refused, and a service that is ending may not answer.
      await candidate.call('POST', `/v1/submissions/${id}/cancel`).catch(() => undefined);
    }),
  );
}

/** What is handed in, read and packed while the service starts. */
async function prepare(): Promise<{ bundle: Buffer; packed: Packed[] }> {
  const all = await loadSamples(await loadChallenge(BUNDLE));
  const packed = SAMPLES.map(async (wanted) => {
    const sample = all.find(({ name }) => name === wanted);
    if (!sample) {
      throw new Error(`the demo wants the sample ${wanted}`);
    }
    return { sample, archive: await packSample(sample.directory) };
  });
  const [bundle, ...archives] = await Promise.all([packDemoBundle(BUNDLE, 'tour'), ...packed]);
  return { bundle, packed: archives };
}

/** Uploads the challenge with its short load shape; a version that is there already is used again. */
async function publish(content: Buffer, { view, admin, signal }: Service): Promise<z.output<typeof Version>> {
  const order = { path: '/v1/challenges', field: 'bundle', fileName: 'bundle.tar.gz', content };
  const version = Version.parse(await admin.upload(order, signal));
  if (version.state === 'draft') {
    // "assay check" takes minutes; the demo trusts the bundle that it came with.
    await admin.call('POST', `/v1/challenges/${version.slug}/versions/${version.version}/publish?force=true`);
  }
  view.say(`Challenge ${version.slug}, version ${version.version}, is published`);
  return version;
}

async function handIn(
  { sample, archive }: Packed,
  challenge: string,
  { view, admin, url, signal }: Service,
): Promise<Handed> {
  const body = { challenge, candidate: { name: sample.name } };
  const { token } = Invitation.parse(await admin.call('POST', '/v1/invitations', body));
  const candidate = makeServiceClient({ url, token });
  const order = { path: '/v1/submissions', field: 'archive', fileName: 'work.tar.gz', content: archive };
  const accepted = Accepted.parse(await candidate.upload(order, signal));
  view.say(`uploaded, ${formatBytes(archive.length)}: ${describe(sample)}`, sample.name);
  return { sample, candidate, id: accepted.id, runId: accepted.run.id };
}

function describe({ expectation }: Sample): string {
  return expectation.about ?? 'A full solution.';
}

async function watch(
  { sample, candidate, id, runId }: Handed,
  { view, reports, admin, signal }: Service,
): Promise<Row> {
  await candidate.follow(`/v1/submissions/${id}/events`, (event) => view.event(sample.name, event), signal);
  view.over(sample.name);
  const report = ReportSchema.parse(await admin.call('GET', `/v1/runs/${runId}/report`));
  view.say(`is graded: ${verdictOf(report)}`, sample.name);
  const page = join(reports, `demo-${sample.name}.html`);
  await mkdir(reports, { recursive: true });
  await writeFile(page, await admin.text(`/v1/runs/${runId}/report?format=html`));
  return { sample, report, page, differences: compareExpectation(report, sample.expectation) };
}

function verdictOf({ outcome }: Report): string {
  return outcome.verdict ?? outcome.status;
}

function renderTable(rows: readonly Row[]): string {
  const lines = rows.map(({ sample, report, differences }) => {
    const { outcome, run } = report;
    const cells = [
      differences.length === 0 ? '✓' : '✗',
      sample.name.padEnd(NAME_WIDTH),
      sample.expectation.verdict.padEnd(9),
      verdictOf(report).padEnd(12),
      (outcome.score === null ? '–' : String(outcome.score)).padStart(5),
      formatMs(run.durationMs).padStart(11),
      ` ${outcome.failure?.code ?? ''}`,
    ];
    return [cells.join(' ').trimEnd(), ...differences.map((difference) => `    ${difference}`)].join('\n');
  });
  const head = `  ${'submission'.padEnd(NAME_WIDTH)} ${'expected'.padEnd(9)} ${'verdict'.padEnd(12)} score   graded in  reason`;
  const wrong = rows.filter(({ differences }) => differences.length > 0).length;
  const verdict =
    wrong === 0 ? `All ${rows.length} came out as expected.` : `${wrong} did not come out as expected.`;
  const pages = ['Their reports, for a browser:', ...rows.map(({ page }) => `  ${page}`)];
  return `\n${[head, ...lines, '', verdict, '', ...pages].join('\n')}\n\n`;
}
