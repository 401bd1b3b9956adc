import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { ReferenceTurnSchema } from '../../../src/domain/load-result.ts';

/** The program itself, told lines and asked for the next one. */
async function startServer() {
  const folder = await mkdtemp(join(tmpdir(), 'assay-reference-'));
  const child = spawn('node', ['docker/reference/server.mjs'], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ended,
    close: () => child.stdin.end(),
    tell: async (what: object): Promise<unknown> => {
      child.stdin.write(`${JSON.stringify(what)}\n`);
      const { value } = await lines.next();
      return JSON.parse(String(value)) as unknown;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it('the reference service listens, rests, takes turns, and ends with its input', async () => {
  const server = await startServer();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/work`;

  expect(await server.tell({ listen: port })).toEqual({ ok: true });
  const answer = (await (await fetch(url)).json()) as object;
  expect(Object.keys(answer)).toEqual(['digest', 'first', 'best']);
  expect(await server.tell({ listen: null })).toEqual({ ok: true });
  await expect(fetch(url)).rejects.toThrow();

  const startMs = performance.now();
  const turn = ReferenceTurnSchema.parse(await server.tell({ turnMs: 100 }));
  const tookMs = performance.now() - startMs;
  expect(tookMs).toBeGreaterThan(100);
  expect(turn.requestsPerSecond).toBeGreaterThan(10);
  expect(turn.cpuMs).toBeGreaterThan(0);

  expect(await server.tell({ listen: port })).toEqual({ ok: true });
  expect((await fetch(url)).status).toBe(200);
  server.close();
  expect(await server.ended).toBe(0);
});
