import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packTar } from '../../src/shared/tar-buffer.ts';
import type { TarEntry } from '../../src/shared/tar-buffer.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A process of assay's, as a person would start it. */
export interface AssayProcess {
  pid: number;
  /** What it has printed so far. */
  output(): string;
  /** Resolves when the output matches. Rejects with the output when the process ends first. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  /** kill -9. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it has ended by itself, with the exit code. */
  ended(): Promise<number | null>;
  /** SIGTERM. Answers the exit code. */
  stop(): Promise<number | null>;
}

/** Starts `assay <args>` with these settings in its environment. */
export function startAssay(args: readonly string[], env: Readonly<Record<string, string>>): AssayProcess {
  return startProgram('src/main.ts', args, env);
}

/** Starts a program of this repository. */
export function startProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): AssayProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, program), ...args], {
    cwd: ROOT,
    env: { ...process.env, DATABASE_URL: undefined, REDIS_URL: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'exit');
  let text = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      listeners.forEach((listener) => listener());
    });
  }
  return {
    pid: child.pid ?? 0,
    output: () => text,
    says: (pattern) => says(child, pattern, () => text, listeners),
    signal: (name) => child.kill(name),
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
    ended: async () => {
      await gone;
      return child.exitCode;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await gone;
      return child.exitCode;
    },
  };
}

function says(
  child: ChildProcess,
  pattern: RegExp,
  text: () => string,
  listeners: Set<() => void>,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    function look(): void {
      const match = pattern.exec(text());
      if (match) {
        settle();
        resolve(match);
      }
    }
    function ended(): void {
      settle();
      reject(new Error(`it ended before it said ${pattern.source}:\n${text()}`));
    }
    function settle(): void {
      listeners.delete(look);
      child.off('exit', ended);
    }
    listeners.add(look);
    child.on('exit', ended);
    look();
  });
}

/** A folder as one tar, without what lies in folders named in `without`. */
export async function tarOf(folder: string, without: readonly string[] = []): Promise<Buffer> {
  const paths = await readdir(folder, { recursive: true });
  const entries: TarEntry[] = [];
  for (const path of paths.toSorted()) {
    const isFile = (await stat(join(folder, path))).isFile();
    if (isFile && !without.some((name) => path.startsWith(`${name}/`))) {
      const content = await readFile(join(folder, path));
      entries.push({ path, type: 'file', executable: false, content });
    }
  }
  return packTar(entries);
}

/** Calls the service with a token; the body is JSON or one file. */
export async function call(
  url: string,
  token: string,
  method: string,
  path: string,
  body?: object | { field: string; file: Buffer },
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: Headers; json: Record<string, unknown> }> {
  const upload = body !== undefined && 'file' in body && Buffer.isBuffer(body.file) ? body : undefined;
  const form = new FormData();
  if (upload) {
    form.set((upload as { field: string }).field, new Blob([new Uint8Array(upload.file)]), 'upload.tar');
  }
  const json = upload === undefined && body !== undefined;
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(json ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(upload ? { body: form } : {}),
    ...(json ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(240_000),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    json: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

/** Publishes a bundle unchecked and invites one candidate to it; answers the candidate's token. */
export async function openChallenge(
  url: string,
  adminToken: string,
  bundle: Buffer,
  maxAttempts: number,
): Promise<string> {
  const made = await call(url, adminToken, 'POST', '/v1/challenges', { field: 'bundle', file: bundle });
  const { slug, version } = made.json as { slug: string; version: number };
  if (made.status >= 300) {
    throw new Error(`the bundle was not taken: ${JSON.stringify(made.json)}`);
  }
  await call(url, adminToken, 'POST', `/v1/challenges/${slug}/versions/${version}/publish?force=true`);
  const invited = await call(url, adminToken, 'POST', '/v1/invitations', {
    challenge: slug,
    candidate: { name: 'Grace' },
    maxAttempts,
  });
  if (invited.status !== 201) {
    throw new Error(`nobody was invited: ${JSON.stringify(invited.json)}`);
  }
  return invited.json['token'] as string;
}
