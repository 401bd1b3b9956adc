import { resolve } from 'node:path';
import { z } from 'zod';
import { AssayError } from './domain/errors.ts';

const EnvironmentSchema = z.object({
  ASSAY_HOME: z.string().min(1).default('.assay'),
  ASSAY_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('warn'),
  ASSAY_RUNTIME: z.enum(['runc', 'runsc']).default('runc'),
  ASSAY_WARM_PODS: z.coerce.number().int().min(0).max(16).default(1),
  ASSAY_NPM_REGISTRY: z.url().optional(),
  ASSAY_PIP_INDEX: z.url().optional(),
  ASSAY_GO_PROXY: z.url().optional(),
  ASSAY_CA_BUNDLE: z.string().optional(),
  DOCKER_HOST: z.string().optional(),
  ASSAY_URL: z.url().optional(),
  ASSAY_TOKEN: z.string().min(1).optional(),
  ASSAY_HOST: z.string().min(1).default('127.0.0.1'),
  ASSAY_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  ASSAY_TRUST_PROXY: z.string().default(''),
  ASSAY_WEBHOOK_ALLOW: z.string().default(''),
  ASSAY_SLOTS: z.coerce.number().int().min(1).max(64).optional(),
  ASSAY_DRAIN_SECONDS: z.coerce.number().min(0).max(3600).default(20),
  DATABASE_URL: z.string().min(1).optional(),
  REDIS_URL: z.string().min(1).optional(),
  NO_COLOR: z.string().optional(),
});

/** Everything assay takes from its environment, read once. */
export interface Config {
  /** Where installation id, caches and reports live; absolute. */
  home: string;
  logLevel: z.infer<typeof EnvironmentSchema>['ASSAY_LOG_LEVEL'];
  /** OCI runtime of candidate and grader containers. */
  runtime: 'runc' | 'runsc';
  /** Pause containers kept started ahead of need. */
  warmPods: number;
  /** Package sources of the dependency step; undefined: what the host's own clients are set to. */
  npmRegistry: string | undefined;
  pipIndex: string | undefined;
  goProxy: string | undefined;
  caBundle: string | undefined;
  dockerHost: string | undefined;
  /** The service that `assay submit` talks to, and whose token it sends. */
  serviceUrl: string | undefined;
  serviceToken: string | undefined;
  /** Where the service listens. Without a port it takes the usual one, or the next that is free. */
  host: string;
  port: number | undefined;
  /** Peers whose X-Forwarded-… headers are believed: addresses or CIDRs. */
  trustProxy: readonly string[];
  /** Hosts, addresses and CIDRs besides the public ones that webhooks may be sent to. */
  webhookAllow: readonly string[];
  /** Runs that a worker grades at a time; undefined: half as many as the engine has CPUs. */
  slots: number | undefined;
  /** How long a worker that stops lets its runs go on. */
  drainMs: number;
  /** Undefined: assay runs its own. */
  databaseUrl: string | undefined;
  redisUrl: string | undefined;
  color: boolean;
  /** The environment for child processes of ours that need the host's client settings. */
  childEnv: Readonly<Record<string, string | undefined>>;
}

/** Reads and checks the environment. Throws AssayError `CONFIG_INVALID` that names the variable. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Readonly<Config> {
  const parsed = EnvironmentSchema.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new AssayError('CONFIG_INVALID', 'infra', `the environment is wrong: ${problems.join('; ')}`);
  }
  const values = parsed.data;
  return Object.freeze({
    home: resolve(values.ASSAY_HOME),
    logLevel: values.ASSAY_LOG_LEVEL,
    runtime: values.ASSAY_RUNTIME,
    warmPods: values.ASSAY_WARM_PODS,
    npmRegistry: values.ASSAY_NPM_REGISTRY,
    pipIndex: values.ASSAY_PIP_INDEX,
    goProxy: values.ASSAY_GO_PROXY,
    caBundle: values.ASSAY_CA_BUNDLE,
    dockerHost: values.DOCKER_HOST,
    serviceUrl: values.ASSAY_URL,
    serviceToken: values.ASSAY_TOKEN,
    host: values.ASSAY_HOST,
    port: values.ASSAY_PORT,
    trustProxy: listOf(values.ASSAY_TRUST_PROXY),
    webhookAllow: listOf(values.ASSAY_WEBHOOK_ALLOW),
    slots: values.ASSAY_SLOTS,
    drainMs: values.ASSAY_DRAIN_SECONDS * 1000,
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    color: values.NO_COLOR === undefined || values.NO_COLOR === '',
    childEnv: env,
  });
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
