import { PassThrough } from 'node:stream';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEngineAccess } from '../../src/open-engine.ts';
import { readConfig } from '../../src/config.ts';
import type { DriverOptions, DriverResult } from './driver.ts';
import { SERVER_CPU } from './processes.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** On the CPU of the server, which it leaves alone while others measure. Whoever it starts for CPU 1 says so. */
const PINNED = ['taskset', '-c', SERVER_CPU];
const DRIVER = ['node', '--import', '/repo/node_modules/tsx/dist/loader.mjs', '/repo/bench/load/driver.ts'];
const DESCRIPTORS = 20_000;
const MOST_CPU_SHARES = 262_144;

/**
 * Runs the driver in a container without a network. The driver ends when its input does, so the container goes with
 * this process however that ends; at `signal` it is removed at once.
 */
export async function runDriver(options: DriverOptions, signal: AbortSignal): Promise<DriverResult> {
  const { client, images } = await openEngineAccess(readConfig());
  const image = await images.image('bench', signal, (line) => process.stderr.write(`${line}\n`));
  const container = await client.api.createContainer({
    Image: image,
    Cmd: [...PINNED, ...DRIVER, JSON.stringify(options)],
    User: '0:0',
    OpenStdin: true,
    StdinOnce: true,
    HostConfig: {
      NetworkMode: 'none',
      // What else runs on the machine is to disturb as little as can be.
      CapAdd: ['SYS_NICE'],
      CpuShares: MOST_CPU_SHARES,
      Init: true,
      Binds: [`${ROOT}:/repo:ro`],
      Ulimits: [{ Name: 'nofile', Soft: DESCRIPTORS, Hard: DESCRIPTORS }],
    },
  });
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  try {
    const stream = await container.attach({
      stream: true,
      hijack: true,
      stdin: true,
      stdout: true,
      stderr: true,
    });
    const stdout = new PassThrough();
    client.api.modem.demuxStream(stream, stdout, process.stderr);
    const chunks: Buffer[] = [];
    stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const ended = container.wait({ condition: 'next-exit' }) as Promise<{ StatusCode: number }>;
    await container.start();
    const { StatusCode: code } = await Promise.race([ended, aborted]);
    if (code !== 0) {
      throw new Error(`the driver ended with code ${code}`);
    }
    return JSON.parse(Buffer.concat(chunks).toString()) as DriverResult;
  } finally {
    await container.remove({ force: true, v: true });
  }
}
