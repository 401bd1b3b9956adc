import { dirname } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openEngineAccess } from '../src/compose.ts';
import { readConfig } from '../src/config.ts';
import type { AccuracyRow, DriverOptions, DriverResult } from './load/driver.ts';
import { isTrue } from './load/truth.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DRIVER = ['node', '--import', '/repo/node_modules/tsx/dist/loader.mjs', '/repo/bench/load/driver.ts'];

/**
 * Our generator beside Locust, autocannon and wrk, in one container without a network: the server on CPU 0, one
 * generator after another on CPU 1. Throughput over CPU time, and latency against servers whose latency is known.
 */
export async function runLoadBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean' },
      rounds: { type: 'string', default: '3' },
      window: { type: 'string', default: '3' },
      rates: { type: 'string', default: '200,1000,2000' },
    },
  });
  const result = await drive({
    rounds: Number(values.rounds),
    windowS: Number(values.window),
    rates: values.rates.split(',').map(Number),
  });
  process.stdout.write(values.json ? `${JSON.stringify(toJson(result))}\n` : render(result));
}

async function drive(options: DriverOptions): Promise<DriverResult> {
  const { client, images } = await openEngineAccess(readConfig());
  const image = await images.image('bench', new AbortController().signal, (line) =>
    process.stderr.write(`${line}\n`),
  );
  const container = await client.api.createContainer({
    Image: image,
    Cmd: [...DRIVER, JSON.stringify(options)],
    User: '0:0',
    HostConfig: {
      NetworkMode: 'none',
      Init: true,
      Binds: [`${ROOT}:/repo:ro`],
      Ulimits: [{ Name: 'nofile', Soft: 20_000, Hard: 20_000 }],
    },
  });
  try {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const stdout = new PassThrough();
    client.api.modem.demuxStream(stream, stdout, process.stderr);
    const chunks: Buffer[] = [];
    stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const ended = container.wait({ condition: 'next-exit' }) as Promise<{ StatusCode: number }>;
    await container.start();
    const { StatusCode: code } = await ended;
    if (code !== 0) {
      throw new Error(`the driver ended with code ${code}`);
    }
    return JSON.parse(Buffer.concat(chunks).toString()) as DriverResult;
  } finally {
    await container.remove({ force: true, v: true });
  }
}

/** One number for each generator: requests per second of CPU time. */
function toJson({ throughput, accuracy }: DriverResult) {
  return {
    throughput: Object.fromEntries(
      Object.entries(throughput).map(([name, { perCore }]) => [name, Math.round(perCore)]),
    ),
    accuracy,
  };
}

function render({ throughput, accuracy }: DriverResult): string {
  const ours = throughput['assay']?.perCore ?? Number.NaN;
  return [
    'Requests per second and core (50 connections, kept alive; over the CPU time of the generator):',
    ...Object.entries(throughput).map(
      ([name, { perCore, perSecond }]) =>
        `  ${name.padEnd(12)}${String(Math.round(perCore)).padStart(7)}  assay is ${(ours / perCore).toFixed(2)} of it; by the clock ${Math.round(perSecond)}/s`,
    ),
    '',
    'Latency in ms at a fixed rate: truth, assay, Locust (p50 p95 p99):',
    ...accuracy.map(renderRow),
    '',
  ].join('\n');
}

function renderRow({ server, rate, truth, assay, locust }: AccuracyRow): string {
  const keys = ['p50', 'p95', 'p99'] as const;
  const ok = keys.every((key) => isTrue(assay[key], truth[key]));
  const figures = [truth, assay, ...(locust ? [locust] : [])].map((one) =>
    keys.map((key) => one[key].toFixed(1).padStart(7)).join(' '),
  );
  return `  ${server.padEnd(9)}${String(rate).padStart(5)}/s ${figures.join('  | ')}  ${ok ? 'within 5 % or 1 ms' : 'NOT within 5 % or 1 ms'}`;
}
