import pg from 'pg';
import { assembleReport } from '../src/report/assemble.ts';
import { SAMPLE_RUNS } from '../tests/helpers/report-samples.ts';
import { call } from '../tests/helpers/service-processes.ts';
import type { BenchService } from './service.ts';

const REQUESTS = 200;
/** Requests of one token in a row: below what a token may make in a minute. */
const PER_TOKEN = 400;

export interface PageFigures {
  runs: number;
  /** Milliseconds at the client, one request at a time. */
  pages: { page: string; p50: number; p95: number; max: number }[];
  /** Every submission belongs to one challenge here. */
  regrade: { queued: number; seconds: number };
}

/** Fills the store with finished runs that all have a report, and reads lists and reports over HTTP. */
export async function measurePages(service: BenchService, count: number): Promise<PageFigures> {
  const db = new pg.Client(service.databaseUrl);
  await db.connect();
  try {
    await fill(db, count);
    const ids = await db.query<{ id: string }>('SELECT id FROM runs ORDER BY random() LIMIT 1000');
    const runIds = ids.rows.map((row) => row.id);
    const ask = asker(service);
    const lists = '/v1/submissions?limit=50';
    const deep = await cursorOf(ask, lists, 20);
    const pages = {
      'list, newest': () => lists,
      'list, 20 pages on': () => `${lists}&cursor=${deep}`,
      'list, best first': () => `${lists}&sort=score`,
      'list, one challenge': () => `${lists}&challenge=bench-3&sort=score`,
      'list, rare verdict': () => `${lists}&verdict=inconclusive`,
      'list, score from 95': () => `${lists}&minScore=95`,
      'list, nothing matches': () => `${lists}&status=errored&verdict=passed`,
      run: (turn: number) => `/v1/runs/${runIds[turn % runIds.length]}`,
      'report, JSON': (turn: number) => `/v1/runs/${runIds[turn % runIds.length]}/report?format=json`,
      'report, HTML': (turn: number) => `/v1/runs/${runIds[turn % runIds.length]}/report?format=html`,
      'report, Markdown': (turn: number) => `/v1/runs/${runIds[turn % runIds.length]}/report?format=md`,
      compare: (turn: number) =>
        `/v1/compare?runs=${runIds[turn % runIds.length]},${runIds[(turn + 1) % runIds.length]}`,
      cohort: (turn: number) => `/v1/challenges/bench-${(turn % 10) + 1}/cohort`,
      invitations: () => '/v1/invitations',
      audit: () => '/v1/audit',
      queue: () => '/v1/queue',
    };
    const figures: PageFigures['pages'] = [];
    for (const [page, path] of Object.entries(pages)) {
      figures.push({ page, ...(await measure(ask, path)) });
    }
    return { runs: count, pages: figures, regrade: await measureRegrade(db, service) };
  } finally {
    await db.end();
  }
}

/** One insert per table: the figures are about reading. */
async function fill(db: pg.Client, count: number): Promise<void> {
  const report = JSON.stringify(assembleReport(SAMPLE_RUNS.partialRun()));
  await db.query(`INSERT INTO challenge_versions (slug, version, title, blind, digest, bundle_blob, policy, state)
    SELECT 'bench-' || n, 1, 'Bench', false, 'sha256:' || n, 'sha256:' || n,
      '{"max":3,"windowMs":1,"dryRuns":0,"late":"refuse","feedback":{},"rubric":[]}', 'published'
    FROM generate_series(1, 10) n`);
  await db.query("INSERT INTO candidates (name) SELECT 'Candidate ' || n FROM generate_series(1, 1000) n");
  await db.query(`INSERT INTO invitations
      (candidate_id, version_id, opens_at, closes_at, max_attempts, max_dry_runs, late)
    SELECT c.id, v.id, now(), now(), 1000, 0, 'refuse'
    FROM (SELECT id, row_number() OVER () AS n FROM candidates WHERE name LIKE 'Candidate %') c
    JOIN challenge_versions v ON v.slug = 'bench-' || (c.n % 10 + 1)`);
  await db.query(
    `INSERT INTO submissions (invitation_id, version_id, candidate_id, slug, dry_run, attempt, late,
        upload_bytes, digest, files, notices, created_at)
      SELECT i.id, i.version_id, i.candidate_id, v.slug, false, a, false, 1000, 'sha256:x', '[]', '[]',
        now() - random() * interval '300 days'
      FROM invitations i JOIN challenge_versions v ON v.id = i.version_id AND v.slug LIKE 'bench-%',
        generate_series(1, $1::int) a`,
    [Math.ceil(count / 1000)],
  );
  // In one statement, before there are statistics, the trigger finds no good plan; what it does is done at once below.
  await db.query('ALTER TABLE runs DISABLE TRIGGER runs_show_newest');
  await db.query(`INSERT INTO runs
      (submission_id, version_id, kind, state, worker, seed, verdict, score, created_at, queued_at, started_at, finished_at)
    SELECT id, version_id, 'first', 'completed', 'bench', 'seed',
      CASE WHEN r < 0.001 THEN 'inconclusive' WHEN r < 0.2 THEN 'failed' WHEN r < 0.6 THEN 'partial' ELSE 'passed' END,
      round((random() * 100)::numeric, 1)::float8, created_at, created_at, created_at, created_at
    FROM (SELECT *, random() AS r FROM submissions WHERE slug LIKE 'bench-%') s`);
  await db.query('ALTER TABLE runs ENABLE TRIGGER runs_show_newest');
  await db.query(`UPDATE submissions SET run_id = r.id, run_state = r.state, run_verdict = r.verdict,
      run_score = r.score, run_finished_at = r.finished_at
    FROM runs r WHERE r.submission_id = submissions.id`);
  await db.query(
    `INSERT INTO results (run_id, epoch, worker, report, artifacts)
      SELECT id, 1, 'bench', $1::json, '[]' FROM runs WHERE worker = 'bench'`,
    [report],
  );
  await db.query('VACUUM ANALYZE');
}

/** One call that queues every submission again, all of them of one challenge. */
async function measureRegrade(db: pg.Client, service: BenchService): Promise<PageFigures['regrade']> {
  await db.query("UPDATE submissions SET slug = 'bench-1', tar_blob = digest WHERE slug LIKE 'bench-%'");
  await db.query('VACUUM ANALYZE submissions');
  const beganMs = performance.now();
  const answer = await call(service.url, service.adminToken, 'POST', '/v1/challenges/bench-1/regrade', {});
  const seconds = (performance.now() - beganMs) / 1000;
  return { queued: Number(answer.json['queued']), seconds };
}

type Ask = (path: string) => Promise<Record<string, unknown>>;

function asker(service: BenchService): Ask {
  let asked = 0;
  let token = service.adminToken;
  return async (path) => {
    if (asked % PER_TOKEN === PER_TOKEN - 1) {
      const made = await call(service.url, service.adminToken, 'POST', '/v1/tokens', {
        role: 'admin',
        name: `bench ${asked}`,
      });
      token = made.json['token'] as string;
    }
    asked += 1;
    const address = `10.0.${Math.floor(asked / 250) % 250}.${(asked % 250) + 1}`;
    const response = await fetch(`${service.url}${path}`, {
      headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address },
    });
    const text = await response.text();
    if (response.status !== 200) {
      throw new Error(`${path} answered ${response.status}: ${text.slice(0, 300)}`);
    }
    return /format=(?!json)/.test(path) ? {} : (JSON.parse(text) as Record<string, unknown>);
  };
}

async function cursorOf(ask: Ask, list: string, pages: number): Promise<string> {
  let cursor = '';
  for (let page = 0; page < pages; page += 1) {
    const answer = await ask(cursor === '' ? list : `${list}&cursor=${cursor}`);
    cursor = answer['nextCursor'] as string;
  }
  return cursor;
}

async function measure(ask: Ask, path: (turn: number) => string) {
  const times: number[] = [];
  for (let turn = 0; turn < REQUESTS; turn += 1) {
    const beganMs = performance.now();
    await ask(path(turn));
    times.push(performance.now() - beganMs);
  }
  times.sort((a, b) => a - b);
  return { p50: quantile(times, 0.5), p95: quantile(times, 0.95), max: quantile(times, 1) };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

export function renderPages({ runs, pages, regrade }: PageFigures): string {
  const rows = pages.map(
    ({ page, p50, p95, max }) =>
      `  ${page.padEnd(24)}${[p50, p95, max].map((ms) => ms.toFixed(1).padStart(8)).join('')}`,
  );
  return `${runs} finished runs, ms per request\n  ${' '.repeat(24)}     p50     p95     max\n${rows.join('\n')}
${regrade.queued} submissions of one challenge queued again in ${regrade.seconds.toFixed(1)} s\n`;
}
