import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openServicesHost } from '../src/open-services.ts';
import { readConfig } from '../src/config.ts';
import { ensureService } from '../src/services/own-services.ts';
import { freePort } from '../src/services/service-ports.ts';
import { startAssay } from '../tests/helpers/service-processes.ts';
import { measurePages, renderPages } from './service-pages.ts';
import { measureUploads, renderUploads } from './service-uploads.ts';

/** A service under measurement, alone in a home of its own. */
export interface BenchService {
  url: string;
  adminToken: string;
  databaseUrl: string;
  /** Process id of the API. */
  pid: number;
}

/** What the service's API costs: many large uploads at once, and lists and reports over many finished runs. */
export async function runServiceBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean' },
      uploads: { type: 'string', default: '100' },
      runs: { type: 'string', default: '100000' },
      only: { type: 'string' },
    },
  });
  if (values.only !== undefined && values.only !== 'uploads' && values.only !== 'pages') {
    throw new Error(`--only ${values.only}: expected uploads or pages`);
  }
  await withService(async (service) => {
    const uploads =
      values.only === 'pages' ? undefined : await measureUploads(service, Number(values.uploads));
    const pages = values.only === 'uploads' ? undefined : await measurePages(service, Number(values.runs));
    const texts = [uploads && renderUploads(uploads), pages && renderPages(pages)].filter(Boolean);
    process.stdout.write(values.json ? `${JSON.stringify({ uploads, pages })}\n` : texts.join('\n'));
  });
}

async function withService(measure: (service: BenchService) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  const port = String(await freePort());
  // Each request names another address, so that the limits for one are no part of what is measured.
  const env = { ASSAY_HOME: home, ASSAY_PORT: port, ASSAY_TRUST_PROXY: '127.0.0.1' };
  const api = startAssay(['serve', '--no-worker'], env);
  try {
    const adminToken = (await api.says(/token, shown only now: (\S+)/))[1] ?? '';
    await api.says(/assay listens on/);
    const host = await openServicesHost({ ...readConfig(), home });
    const databaseUrl = await ensureService(host, 'postgres', AbortSignal.timeout(60_000));
    await measure({ url: `http://127.0.0.1:${port}`, adminToken, databaseUrl, pid: api.pid });
  } finally {
    await api.stop();
    const reset = startAssay(['services', 'reset', '--yes'], { ASSAY_HOME: home });
    await reset.says(/Removed/);
    await rm(home, { recursive: true, force: true });
  }
}
