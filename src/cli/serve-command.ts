import { once } from 'node:events';
import type { openApi } from '../compose-api.ts';
import type { Backing } from '../compose-service.ts';
import type { Config } from '../config.ts';
import { AssayError } from '../domain/errors.ts';
import type { App } from '../http/app-types.ts';
import { newToken } from '../http/new-token.ts';
import { makeLogger } from '../shared/logger.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';
import { superviseWorker } from './supervise-worker.ts';
import type { SupervisedWorker } from './supervise-worker.ts';
import { addTokenFromHost } from './token-command.ts';

export const SERVE_USAGE = `assay serve [--no-worker]     the service: API, queue and a worker in one process tree
assay worker                 one more worker, here or on another host`;

const USUAL_PORT = 8484;
const PORTS_TRIED = 20;

/** Runs the service until the signal. Prints its address, and on the first start the first admin's token, once. */
export async function runServe(
  config: Config,
  options: { worker: boolean },
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  const urls = import('../open-services.ts').then(({ findUrls }) => findUrls(config, signal));
  urls.catch(() => undefined);
  // It loads and proves its sandbox while the API comes up, so it begins before most of the API is loaded.
  const worker = options.worker ? superviseWorker(urls, config, makeLogger(config.logLevel)) : undefined;
  try {
    const { openBacking } = await import('../compose-service.ts');
    const { openApi } = await import('../compose-api.ts');
    const found = await urls;
    signal.throwIfAborted();
    const backing = await openBacking(config, found);
    try {
      await serve({ config, backing, worker, openApi }, io, signal);
    } finally {
      await backing.close();
    }
  } finally {
    await worker?.stop();
  }
  return EXIT.passed;
}

interface Service {
  config: Config;
  backing: Backing;
  worker: SupervisedWorker | undefined;
  openApi: typeof openApi;
}

async function serve(
  { config, backing, worker, openApi: open }: Service,
  io: GradeIo,
  signal: AbortSignal,
): Promise<void> {
  const api = await open(config, backing);
  try {
    const url = await listen(api.app, config);
    await printFirstToken(backing, io);
    io.stdout.write(`assay listens on ${url} (every call: /docs)\n`);
    await untilAborted(signal);
    // The API goes on answering while runs drain: candidates watch them.
    await worker?.stop();
  } finally {
    await api.close();
  }
}

/** Listens where it was told to, or on the usual port, or on the next that is free. */
async function listen(app: App, { host, port }: Config): Promise<string> {
  for (let next = port ?? USUAL_PORT; ; next += 1) {
    try {
      return await app.listen({ host, port: next });
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!taken || (port === undefined && next - USUAL_PORT >= PORTS_TRIED)) {
        throw error;
      }
      if (port !== undefined) {
        throw new AssayError('PORT_TAKEN', 'infra', `port ${port} of ${host} is taken`, {
          mend: 'set ASSAY_PORT to another one, or unset it to have a free one chosen',
        });
      }
    }
  }
}

async function printFirstToken({ store }: Backing, io: GradeIo): Promise<void> {
  if ((await store.access.countAdmins()) > 0) {
    return;
  }
  const { token, hash } = newToken('admin');
  const wanted = { role: 'admin', name: 'first admin', challenges: null, expiresAt: null } as const;
  await addTokenFromHost(store, { ...wanted, hash }, 'the first start');
  io.stdout.write(`First admin token, shown only now: ${token}\n`);
}

export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) {
    await once(signal, 'abort');
  }
}
