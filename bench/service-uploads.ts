import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectSubmission } from '../src/intake/inspect-submission.ts';
import { runPool } from '../src/shared/run-pool.ts';
import { packTar } from '../src/shared/tar-buffer.ts';
import { call, openChallenge, tarOf } from '../tests/helpers/service-processes.ts';
import type { BenchService } from './service.ts';

const MIB = 1024 ** 2;
const SAMPLE_MS = 20;
/** Of one candidate at once: as many as the service lets a token have. */
const PER_CANDIDATE = 4;

export interface UploadFigures {
  uploads: number;
  accepted: number;
  /** Turned away with 503 or 429 and a Retry-After. */
  turnedAway: number;
  wrong: number;
  rssBeforeMiB: number;
  rssPeakMiB: number;
  growthMiB: number;
  seconds: number;
}

/** Sends uploads of 10 MiB, all at once and all different, while the API's memory is watched. */
export async function measureUploads(service: BenchService, count: number): Promise<UploadFigures> {
  const bundle = await tarOf('bench/fixtures/trivial');
  const tokens: string[] = [];
  for (let index = 0; index < Math.ceil(count / PER_CANDIDATE); index += 1) {
    tokens.push(await openChallenge(service.url, service.adminToken, bundle, PER_CANDIDATE));
  }
  const reference = await readFile('bench/fixtures/trivial/submissions/reference/server.js');
  const archives = Array.from({ length: count }, () => archiveOf(reference));
  const rssBefore = await rssOf(service.pid);
  const watch = watchMemory(service.pid);
  const beganMs = performance.now();
  const answers = await Promise.all(
    archives.map((archive, index) => send(service, tokens[index % tokens.length] ?? '', archive)),
  );
  const seconds = (performance.now() - beganMs) / 1000;
  const rssPeak = await watch.end();
  const accepted = answers.flatMap((answer, index) => (answer.status === 202 ? [{ answer, index }] : []));
  const rightDigests = await runPool(
    accepted,
    2,
    async ({ answer, index }) => answer.digest === (await digestOf(archives[index] ?? Buffer.alloc(0))),
  );
  const turnedAway = answers.filter(({ status, retryAfter }) => [429, 503].includes(status) && retryAfter);
  const right = rightDigests.filter(Boolean).length;
  return {
    uploads: count,
    accepted: right,
    turnedAway: turnedAway.length,
    wrong: count - right - turnedAway.length,
    rssBeforeMiB: rssBefore / MIB,
    rssPeakMiB: rssPeak / MIB,
    growthMiB: (rssPeak - rssBefore) / MIB,
    seconds,
  };
}

function archiveOf(reference: Buffer): Buffer {
  const noise = randomBytes(10 * MIB - 64 * 1024);
  return packTar([
    { path: 'noise.bin', type: 'file', executable: false, content: noise },
    { path: 'server.js', type: 'file', executable: false, content: reference },
  ]);
}

async function digestOf(archive: Buffer): Promise<string> {
  const path = join(tmpdir(), `assay-bench-${randomBytes(6).toString('hex')}.tar`);
  await writeFile(path, archive);
  try {
    return (await inspectSubmission({ path }, {}, AbortSignal.timeout(300_000))).digest;
  } finally {
    await rm(path, { force: true });
  }
}

async function send({ url }: BenchService, token: string, archive: Buffer) {
  const answer = await call(url, token, 'POST', '/v1/submissions', { field: 'archive', file: archive });
  const receipt = answer.json['receipt'] as { digest: string } | undefined;
  return {
    status: answer.status,
    retryAfter: answer.headers.get('retry-after') !== null,
    digest: receipt?.digest,
  };
}

async function rssOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

function watchMemory(pid: number): { end(): Promise<number> } {
  let peak = 0;
  const timer = setInterval(() => {
    rssOf(pid).then(
      (rss) => {
        peak = Math.max(peak, rss);
      },
      () => clearInterval(timer),
    );
  }, SAMPLE_MS);
  return {
    end: async () => {
      clearInterval(timer);
      return Math.max(peak, await rssOf(pid));
    },
  };
}

export function renderUploads(figures: UploadFigures): string {
  return `${figures.uploads} uploads of 10 MiB at once, ${figures.seconds.toFixed(1)} s
  accepted with the right digest  ${figures.accepted}
  turned away with Retry-After    ${figures.turnedAway}
  anything else                   ${figures.wrong}
  memory of the API               ${figures.rssBeforeMiB.toFixed(0)} → ${figures.rssPeakMiB.toFixed(0)} MiB (+${figures.growthMiB.toFixed(0)})
`;
}
