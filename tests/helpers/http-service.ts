import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import pino from 'pino';
import { openFsBlobStore } from '../../src/blobs/fs-blob-store.ts';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import type { Role } from '../../src/domain/access.ts';
import { decideStartPlan } from '../../src/grading/start-plan.ts';
import { buildApp } from '../../src/http/app.ts';
import type { App } from '../../src/http/app-types.ts';
import { DEFAULT_HTTP_SETTINGS } from '../../src/http/http-settings.ts';
import type { HttpSettings } from '../../src/http/http-settings.ts';
import { newToken } from '../../src/http/new-token.ts';

import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { Invitation } from '../../src/store/access-store.ts';
import type { ChallengeVersion } from '../../src/store/challenge-store.ts';
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { makeAllowRule } from '../../src/webhooks/allow-rule.ts';
import type { AllowRule } from '../../src/webhooks/allow-rule.ts';
import { resolveTarget } from '../../src/webhooks/resolve-target.ts';
import { buildTar } from './archives.ts';
import { openTestServices } from './services.ts';
import { storedInvitation, storedVersion } from './stored.ts';

export interface Caller {
  token: string;
  tokenId: string;
  ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object): Promise<LightMyRequestResponse>;
}

export interface Candidate extends Caller {
  invitation: Invitation;
  submit(archive?: Buffer, options?: SubmitOptions): Promise<LightMyRequestResponse>;
}

export interface SubmitOptions {
  dryRun?: boolean;
  key?: string;
  /** The multipart body instead of one with the archive. */
  raw?: Buffer;
}

export interface HttpService {
  app: App;
  store: Store;
  blobs: BlobStore;
  /** Everything that was logged. */
  log(): string;
  staff(role: Exclude<Role, 'candidate'>, challenges?: readonly string[] | null): Promise<Caller>;
  candidate(
    version?: ChallengeVersion,
    overrides?: Partial<Parameters<Store['access']['invite']>[0]>,
  ): Promise<Candidate>;
  /** Names in the folder for uploads. */
  uploads(): Promise<string[]>;
  close(): Promise<void>;
}

export const BOUNDARY = 'test-boundary';

/** A multipart body of one file, or of the given parts. */
export function multipart(parts: readonly { head: string; content: Buffer | string }[]): Buffer {
  const pieces = parts.flatMap(({ head, content }) => [
    Buffer.from(`--${BOUNDARY}\r\ncontent-disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

/** A call that sends one file. */
export function uploadOf(url: string, token: string, body: Buffer): InjectOptions {
  return {
    method: 'POST',
    url,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
    },
    payload: body,
  };
}

export function fileOf(content: Buffer | string, field = 'archive', name = 'x.tar') {
  return { head: `name="${field}"; filename="${name}"`, content };
}

/** A small project, different for each text. */
export function project(text: string): Buffer {
  return buildTar([{ name: 'server.js', content: `// ${text}` }]);
}

/** The HTTP interface over the real database, blobs on disk, and intake in its own process; nobody grades. */
export async function openHttpService(
  settings: Partial<HttpSettings> = {},
  webhookRule: AllowRule = makeAllowRule([]),
): Promise<HttpService> {
  const services = await openTestServices();
  // What started must not outlive a start that failed half-way.
  const url = await services.url('postgres').catch(async (error: unknown) => {
    await services.close();
    throw error;
  });
  const folder = await mkdtemp(join(tmpdir(), 'assay-http-'));
  const lines: string[] = [];
  const store = await openPostgresStore({ url }, 60_000);
  const uploadDir = join(folder, 'uploads');
  const blobs = await openFsBlobStore(join(folder, 'blobs'));
  const app = await buildApp({
    store,
    blobs,
    logger: pino({ level: 'debug' }, collector(lines)),
    clock: systemClock,
    version: '0.0.0-test',
    settings: {
      ...DEFAULT_HTTP_SETTINGS,
      perAddress: 1e6,
      perToken: 1e6,
      refusedTokens: 1e6,
      uploadDir,
      ...settings,
    },
    intake: (path, maxBytes, signal) => inspectSubmission({ path }, { compressedBytes: maxBytes }, signal),
    checkStart: (submission, runtimes) => void decideStartPlan(submission, runtimes),
    checkWebhookUrl: async (url) => void (await resolveTarget(url, webhookRule)),
  });

  function caller(token: string, tokenId: string): Caller {
    const headers = { authorization: `Bearer ${token}` };
    return {
      token,
      tokenId,
      ask: async (method, url, body) =>
        await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) }),
    };
  }
  return {
    app,
    store,
    blobs,
    log: () => lines.join(''),
    staff: async (role, challenges = null) => {
      const { token, hash } = newToken(role);
      const { id } = await store.access.addToken({
        role,
        name: `a ${role}`,
        hash,
        challenges,
        expiresAt: null,
      });
      return caller(token, id);
    },
    candidate: async (version, overrides = {}) => {
      const { token, hash } = newToken('candidate');
      const invitation = await storedInvitation(store, version ?? (await storedVersion(store)), {
        tokenHash: hash,
        ...overrides,
      });
      const base = caller(token, '');
      return {
        ...base,
        invitation,
        submit: async (archive = project('one'), options = {}) =>
          await app.inject(submission(token, archive, options)),
      };
    },
    uploads: () => readdir(uploadDir).catch(() => []),
    close: async () => {
      await app.close();
      await store.close();
      await services.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function submission(token: string, archive: Buffer, { dryRun, key, raw }: SubmitOptions): InjectOptions {
  const query = dryRun === undefined ? '' : `?dryRun=${dryRun}`;
  const call = uploadOf(`/v1/submissions${query}`, token, raw ?? multipart([fileOf(archive)]));
  return key === undefined ? call : { ...call, headers: { ...call.headers, 'idempotency-key': key } };
}

function collector(lines: string[]): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
}
