import { randomBytes } from 'node:crypto';
import type { Challenge } from '../domain/challenge.ts';
import type { Failure } from '../domain/report.ts';
import { formatBytes } from '../domain/units.ts';
import type { ImageId, Pod, SandboxEngine, Sidecar, SidecarSpec } from '../sandbox/sandbox-engine.ts';
import { logTail } from './diagnose.ts';
import { holdAll } from './hold-all.ts';

type SidecarName = Challenge['file']['service']['uses'][number];

const MIB = 1024 ** 2;
const READY_WITHIN_MS = 30_000;

/**
 * Nothing survives the stage, so nothing has to reach a disk. Shared memory lies in the data folder's tmpfs: /dev/shm
 * of a container is small.
 */
const POSTGRES_SETTINGS = [
  'fsync=off',
  'shared_buffers=32MB',
  'max_connections=64',
  // Nobody but the service connects: all of them are its own.
  'superuser_reserved_connections=0',
  'max_wal_size=64MB',
  'min_wal_size=8MB',
  'dynamic_shared_memory_type=mmap',
  'max_parallel_workers_per_gather=0',
];

/** How one kind of sidecar is run, by the image docker/<name>/. */
interface Kind {
  title: string;
  port: number;
  command: readonly string[];
  /** The variable that the image takes its password from. */
  passwordVariable: string;
  uid: number;
  memoryBytes: number;
  dataBytes: number;
  readyLog: string;
  /** The variable that the candidate finds its address in. */
  variable: string;
  url: (password: string) => string;
}

const KINDS: Readonly<Record<SidecarName, Kind>> = {
  postgres: {
    title: 'PostgreSQL',
    port: 5432,
    command: ['/usr/local/bin/serve-postgres', ...POSTGRES_SETTINGS.flatMap((setting) => ['-c', setting])],
    passwordVariable: 'POSTGRES_PASSWORD',
    uid: 10_003,
    memoryBytes: 512 * MIB,
    dataBytes: 256 * MIB,
    readyLog: 'database system is ready to accept connections',
    variable: 'DATABASE_URL',
    url: (password) => `postgresql://app:${password}@127.0.0.1:5432/app`,
  },
  redis: {
    title: 'Redis',
    port: 6379,
    // Full, it refuses writes in words; without this its container would be killed.
    command: ['/usr/local/bin/serve-redis', '--maxmemory', '128mb', '--maxmemory-policy', 'noeviction'],
    passwordVariable: 'REDIS_PASSWORD',
    uid: 10_004,
    memoryBytes: 256 * MIB,
    dataBytes: 64 * MIB,
    readyLog: 'Ready to accept connections',
    variable: 'REDIS_URL',
    url: (password) => `redis://:${password}@127.0.0.1:6379/0`,
  },
};

/** The databases of one stage, ready for use. */
export interface Sidecars {
  /** Their addresses with passwords, for the candidate and nobody else. */
  env: Readonly<Record<string, string>>;
  /** What has become of one that ended before its time, which is before its removal. */
  trouble(): Promise<Failure | undefined>;
  /** Holds them still for as long as `during` takes, as `holdAll`. */
  hold<T>(during: () => Promise<T>): Promise<T | undefined>;
  remove(): Promise<void>;
}

/**
 * Starts what the challenge offers, all at once and empty, to live for at least `wallMs` once ready. Throws InfraError
 * as `Pod.startSidecar`.
 */
export async function startSidecars(
  names: readonly SidecarName[],
  context: { engine: Pick<SandboxEngine, 'image'>; pod: Pod; wallMs: number; cpuset?: string },
  signal: AbortSignal,
): Promise<Sidecars> {
  const { engine, pod, wallMs, cpuset } = context;
  const passwords = new Map(names.map((name) => [name, randomBytes(18).toString('base64url')]));
  const starting = names.map(async (name) => {
    const spec = toSpec(name, await engine.image(name, signal), passwords.get(name) ?? '', wallMs);
    const sidecar = await pod.startSidecar(cpuset === undefined ? spec : { ...spec, cpuset }, signal);
    return { name, sidecar };
  });
  const results = await Promise.allSettled(starting);
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) {
    await Promise.allSettled(started.map(({ sidecar }) => sidecar.remove()));
    throw failed.reason;
  }
  async function look(): Promise<Failure | undefined> {
    const ended = started.find(({ sidecar }) => !sidecar.running);
    return ended && (await explainEnd(ended.name, ended.sidecar));
  }
  let atRemoval: Promise<Failure | undefined> | undefined;
  return {
    env: Object.fromEntries(
      [...passwords].map(([name, password]) => [KINDS[name].variable, KINDS[name].url(password)]),
    ),
    trouble: async () => await (atRemoval ?? look()),
    hold: async (during) =>
      await holdAll(
        started.map(({ sidecar }) => sidecar),
        during,
      ),
    remove: async () => {
      atRemoval ??= look();
      await atRemoval.catch(() => undefined);
      await Promise.all(started.map(({ sidecar }) => sidecar.remove()));
    },
  };
}

/** The ports that these databases listen on, which are none of the candidate's. */
export function sidecarPorts(names: readonly SidecarName[]): number[] {
  return names.map((name) => KINDS[name].port);
}

function toSpec(name: SidecarName, image: ImageId, password: string, wallMs: number): SidecarSpec {
  const kind = KINDS[name];
  return {
    name,
    image,
    command: kind.command,
    env: { [kind.passwordVariable]: password },
    uid: kind.uid,
    limits: {
      cpus: 1,
      memoryBytes: kind.memoryBytes,
      pids: 128,
      files: 4096,
      wallMs: wallMs + READY_WITHIN_MS,
    },
    data: { path: '/data', sizeBytes: kind.dataBytes },
    ready: { log: kind.readyLog, withinMs: READY_WITHIN_MS },
  };
}

/** Whose it is that a database is gone. Only the candidate talks to it; what it cannot have done is ours. */
async function explainEnd(name: SidecarName, sidecar: Sidecar): Promise<Failure> {
  const { title, memoryBytes, dataBytes } = KINDS[name];
  const [exit, log] = [await sidecar.exit(), sidecar.log()];
  const common = { code: 'SIDECAR_ENDED', exit, log: logTail(log) };
  if (exit.oomKilled) {
    const message = `The service made its ${title} use more than its ${formatBytes(memoryBytes)} of memory, which ended it.`;
    return { ...common, blame: 'limit', message };
  }
  if (log.text.includes('No space left on device')) {
    const message = `The service filled the ${formatBytes(dataBytes)} of its ${title}, which ended it.`;
    return { ...common, blame: 'limit', message };
  }
  if (exit.cause === 'timeout') {
    // It has as long as the service and the grader together: whoever is slow, a second try would be as slow.
    const message = `The stage went on for longer than its ${title} may run. ${exit.message}`;
    return { ...common, blame: 'limit', message };
  }
  if (log.text.includes('User requested shutdown')) {
    return { ...common, blame: 'candidate', message: `The service shut its ${title} down by a command.` };
  }
  return { ...common, blame: 'infra', message: `The ${title} beside the service ended. ${exit.message}` };
}
