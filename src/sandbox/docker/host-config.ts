import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import type { ImageId, RunIdentity } from '../sandbox-engine.ts';
import { labelsFor, type Owner, type Role } from './labels.ts';

/** The pod an object belongs to: the name of its pause. Warm pauses have no run yet, so pods are told by this. */
export const POD_LABEL = 'assay.pod';
/** Unix ms after which an object that belongs to no pod is an orphan for sure. */
export const EXPIRES_LABEL = 'assay.expires';

export const CANDIDATE_UID = 10_001;
export const GRADER_UID = 10_002;

const MIB = 1024 ** 2;

/** One container of ours, in our words. `toCreateOptions` turns it into the engine's. */
export interface ContainerSpec {
  name: string;
  role: Role;
  owner: Owner;
  identity: RunIdentity;
  image: ImageId;
  /** Argument vector; the image's entrypoint and command are never used. */
  command: readonly string[];
  workdir?: string;
  env?: Readonly<Record<string, string>>;
  uid: number;
  limits: ContainerLimits;
  network: PodNetwork | { kind: 'none' } | { kind: 'bridge'; name: string };
  /** Bytes of the private /tmp; counts as memory. Programs may be executed from it when `tmpExec`. */
  tmpBytes: number;
  tmpExec?: boolean;
  /** Only builds write to their root; whoever asks for it watches its size. */
  writableRoot?: boolean;
  stdin?: boolean;
  mounts?: readonly VolumeMount[];
  cpuset?: string;
  /** Registered name of the engine's runtime; undefined = the engine's default. */
  runtime?: string;
  /** Unix ms, for objects outside pods. */
  expiresAtMs?: number;
  extraLabels?: Readonly<Record<string, string>>;
}

interface PodNetwork {
  kind: 'pod';
  /** Name of the pause container. */
  pause: string;
}

interface ContainerLimits {
  cpus: number;
  memoryBytes: number;
  pids: number;
  files: number;
  /** Largest single file, bytes. */
  fileBytes: number;
}

/**
 * A place to write at `path`: `tmpfs` is sized, named and shared by name; `private` is sized and ends with the
 * container; `anonymous` is a volume that takes an archive before the start.
 */
type VolumeMount =
  | { kind: 'tmpfs'; name: string; path: string; sizeBytes: number; uid: number }
  | { kind: 'private'; path: string; sizeBytes: number; uid: number }
  | { kind: 'anonymous'; path: string };

/** A name no other object has, telling its role: "assay-candidate-5f…". */
export function containerName(role: Role): string {
  return `assay-${role}-${randomBytes(10).toString('hex')}`;
}

/**
 * The engine's create options for a container of any role but the pause, with every hardening flag.
 * Pure. `seccomp` is our profile as JSON: the engine takes it inline only, a path through the API is an error.
 */
export function toCreateOptions(spec: ContainerSpec, seccomp: string): Docker.ContainerCreateOptions {
  return {
    Image: spec.image,
    // Numeric, so that the image's own /etc/passwd has no say.
    User: `${spec.uid}:${spec.uid}`,
    // The command as entrypoint, so that the image's own entrypoint has no say either.
    Entrypoint: spec.command.slice(0, 1),
    Cmd: spec.command.slice(1),
    WorkingDir: spec.workdir ?? '/',
    Env: toEnv({ HOME: '/tmp', TMPDIR: '/tmp', ...spec.env }),
    Labels: toLabels(spec),
    // A health check is a command of the image run by the daemon.
    Healthcheck: { Test: ['NONE'] },
    StopSignal: 'SIGTERM',
    // A terminal would merge the streams and let control characters through.
    Tty: false,
    AttachStdin: spec.stdin === true,
    OpenStdin: spec.stdin === true,
    // Without it end of input never arrives when the attached side closes.
    StdinOnce: spec.stdin === true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: toHostConfig(spec, seccomp),
  };
}

function toHostConfig(spec: ContainerSpec, seccomp: string): Docker.HostConfig {
  return {
    ...(spec.runtime === undefined ? {} : { Runtime: spec.runtime }),
    NetworkMode: networkMode(spec.network),
    ...lockdown(seccomp),
    ReadonlyRootfs: spec.writableRoot !== true,
    ...resources(spec),
    Tmpfs: { '/tmp': tmpfsOptions(spec), ...privateTmpfs(spec) },
    Mounts: (spec.mounts ?? []).flatMap((mount) => toMount(mount, toLabels(spec)) ?? []),
  };
}

/** What every container of ours gives up, whatever its role. Pure. */
export function lockdown(seccomp: string): Docker.HostConfig & { CgroupnsMode: 'private' } {
  return {
    Privileged: false,
    CapDrop: ['ALL'],
    // A setuid program in the image gains nothing.
    SecurityOpt: ['no-new-privileges:true', `seccomp=${seccomp}`],
    // Own IPC, and its /dev/shm small: multiprocessing needs some.
    IpcMode: 'private',
    ShmSize: 8 * MIB,
    Binds: [],
    PublishAllPorts: false,
    // Every end is inspected before the container goes, and a crash is a result rather than a restart.
    RestartPolicy: { Name: 'no' },
    AutoRemove: false,
    // With a log driver the daemon burns a core on a flood; we read the attached stream at our own pace.
    LogConfig: { Type: 'none', Config: {} },
    // Reaps zombies and forwards signals; a process of ours as PID 1 also keeps SIGTERM's default action.
    Init: true,
    // Under memory pressure of the whole host the candidate goes before the engine.
    OomScoreAdj: 500,
    // Hides where on the host its control group is.
    CgroupnsMode: 'private',
  };
}

function resources(spec: ContainerSpec): Docker.HostConfig {
  const { limits } = spec;
  return {
    Memory: limits.memoryBytes,
    // Equal to memory: no swap.
    MemorySwap: limits.memoryBytes,
    NanoCpus: Math.round(limits.cpus * 1e9),
    ...(spec.cpuset === undefined ? {} : { CpusetCpus: spec.cpuset }),
    PidsLimit: limits.pids,
    // Not nproc: the kernel counts that per user over all containers.
    Ulimits: [
      { Name: 'nofile', Soft: limits.files, Hard: limits.files },
      { Name: 'fsize', Soft: limits.fileBytes, Hard: limits.fileBytes },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
  };
}

function networkMode(network: ContainerSpec['network']): string {
  switch (network.kind) {
    case 'none':
      return 'none';
    case 'pod':
      return `container:${network.pause}`;
    case 'bridge':
      return network.name;
    default:
      return network satisfies never;
  }
}

function tmpfsOptions(spec: ContainerSpec): string {
  const exec = spec.tmpExec === true ? 'exec' : 'noexec';
  // The inode cap is what bounds a flood of empty files.
  const inodes = Math.max(4096, Math.floor(spec.tmpBytes / 16_384));
  return `rw,nosuid,nodev,${exec},size=${spec.tmpBytes},nr_inodes=${inodes},mode=1777`;
}

function privateTmpfs(spec: ContainerSpec): Record<string, string> {
  const mounts = (spec.mounts ?? []).filter((mount) => mount.kind === 'private');
  return Object.fromEntries(mounts.map((mount) => [mount.path, `rw,noexec,${sizedOptions(mount)}`]));
}

function sizedOptions({ sizeBytes, uid }: { sizeBytes: number; uid: number }): string {
  const inodes = Math.max(1024, Math.floor(sizeBytes / 16_384));
  return `size=${sizeBytes},nr_inodes=${inodes},uid=${uid},gid=${uid},mode=0700,nosuid,nodev`;
}

function toMount(mount: VolumeMount, labels: Record<string, string>): Docker.MountSettings | undefined {
  if (mount.kind === 'private') {
    return undefined;
  }
  if (mount.kind === 'anonymous') {
    return {
      Type: 'volume',
      Source: '',
      Target: mount.path,
      VolumeOptions: { NoCopy: true, Labels: labels, DriverConfig: { Name: 'local', Options: {} } },
    };
  }
  return {
    Type: 'volume',
    Source: mount.name,
    Target: mount.path,
    VolumeOptions: {
      NoCopy: true,
      Labels: labels,
      DriverConfig: { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o: sizedOptions(mount) } },
    },
  };
}

function toLabels(spec: ContainerSpec): Record<string, string> {
  return {
    ...labelsFor(spec.owner, spec.identity, spec.role),
    ...(spec.network.kind === 'pod' ? { [POD_LABEL]: spec.network.pause } : {}),
    ...(spec.expiresAtMs === undefined ? {} : { [EXPIRES_LABEL]: String(Math.round(spec.expiresAtMs)) }),
    ...spec.extraLabels,
  };
}

function toEnv(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
