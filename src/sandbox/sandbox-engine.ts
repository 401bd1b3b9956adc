import type { Readable } from 'node:stream';
import type { ExitReport } from '../domain/exit-report.ts';
import type { ResourceUsage } from '../domain/grader-protocol.ts';
import type { BuildLimits, GraderLimits, ServiceLimits } from '../domain/limits.ts';

/**
 * Where untrusted work runs. One engine per owning process.
 *
 * Contract for every adapter:
 * - Every call has a deadline of its own and ends in a value or an error; none hangs with the engine behind it.
 *   Failures of the engine are `InfraError`; what the candidate's process does is never an error but an `ExitReport`.
 * - A `signal` aborts waiting and releases what the call had begun to create. `destroy`, `remove` and `close`
 *   take no signal, may be called at any time, any number of times and concurrently, and end quietly on
 *   objects that are gone.
 * - Everything created is labelled with installation, owner, run, epoch and role, so that anyone of the same
 *   installation can tell an orphan and remove it. When the owning process dies, its pods are removed within
 *   seconds without its help.
 * - Calls on different pods may run concurrently. Calls on one candidate are made one after another, except
 *   `log`, `stats` and `running`.
 */
export interface SandboxEngine {
  /** What the engine is: for reports and for `assay doctor`. */
  facts(signal: AbortSignal): Promise<EngineFacts>;
  /** The id of one of our own images ("runtime-node", "grader"), building it first where it is missing. */
  image(name: string, signal: AbortSignal, onProgress?: (line: string) => void): Promise<ImageId>;
  /** An image that the engine already has under this reference; undefined when it has none. Never pulls. */
  foreignImage(reference: string, signal: AbortSignal): Promise<ForeignImage | undefined>;
  /** Runs one build step and keeps the result as an image; a known `key` is answered from the cache at once. */
  build(plan: BuildPlan, signal: AbortSignal): Promise<BuildOutcome>;
  /** Opens the loopback-only network of one run. */
  openPod(spec: PodSpec, signal: AbortSignal): Promise<Pod>;
  /**
   * Removes what dead owners of this installation left. Never waits for one wedged object before the next. With
   * `live` (asked after the look at the engine) also what belongs to another run and epoch than these, is a minute
   * old and was made for a lease (epoch above 0), whoever owns it.
   */
  sweep(live?: () => Promise<readonly RunIdentity[]>): Promise<SweepReport>;
  /** Removes this owner's warm pods and ends its guard. Pods still open are destroyed. */
  close(): Promise<void>;
}

/** An immutable image id, "sha256:…". */
export type ImageId = string;

/** An image that somebody else made. */
export interface ForeignImage {
  id: ImageId;
  /** Where it would have the engine put volumes. */
  volumes: readonly string[];
}

export interface EngineFacts {
  engine: string;
  version: string;
  apiVersion: string;
  runtime: string;
  storageDriver: string;
  cgroupVersion: string;
  kernel: string;
  os: string;
  architecture: string;
  cpus: number;
  memoryBytes: number;
}

export interface BuildPlan {
  /** Digest of everything the result depends on: base image, files, command, settings. */
  key: string;
  kind: 'dependencies' | 'submission';
  /** Whose cache it is. Results are never shared between scopes. */
  scope: string;
  from: ImageId;
  /** Canonical tar of regular files and directories, unpacked at `into`, owned by the candidate's user. */
  files: Buffer;
  into: string;
  /** Argument vector, or null to only add the files. Runs in `into`. */
  command: readonly string[] | null;
  env: Readonly<Record<string, string>>;
  /** `registries`: may reach package registries with the host's client settings; `none`: loopback only. */
  network: 'none' | 'registries';
  limits: BuildLimits;
  run: RunIdentity;
  onLog?: (chunk: string) => void;
}

export type BuildOutcome =
  | { ok: true; image: ImageId; cached: boolean; log: LogCapture; wallMs: number }
  | { ok: false; exit: ExitReport; log: LogCapture; wallMs: number };

export interface RunIdentity {
  run: string;
  epoch: number;
}

export interface PodSpec extends RunIdentity {
  /** Containers of the pod created later inherit it where they name none. */
  runtime?: string;
}

/** One network namespace with loopback (IPv4 and IPv6) and nothing else, and the containers that share it. */
export interface Pod {
  /** Creates and starts a candidate's container. Resolves when its process was started, not when it is ready. */
  startCandidate(spec: CandidateSpec, signal: AbortSignal): Promise<Candidate>;
  /**
   * Creates and starts a database beside the candidate and waits until it takes connections. Throws InfraError
   * `SIDECAR_FAILED` when it ends before, or is not ready in time.
   */
  startSidecar(spec: SidecarSpec, signal: AbortSignal): Promise<Sidecar>;
  /** Creates and starts a grader with its standard streams attached from the first byte. */
  startGrader(spec: GraderSpec, signal: AbortSignal): Promise<GraderProcess>;
  /**
   * Waits until no other pod on this engine, of whatever installation, has the host for itself, and takes it. The
   * answer gives it back, may be called more than once, and `destroy` does it too.
   */
  ownHost(signal: AbortSignal): Promise<() => Promise<void>>;
  /** One readiness probe from inside the pod: 127.0.0.1, then ::1. Never throws for what the service does. */
  probe(port: number, path: string, timeoutMs: number): Promise<ProbeResult>;
  /** TCP ports that listen now, from the kernel's tables. */
  listeners(): Promise<Listener[]>;
  /** TCP sockets of the pod in any state. */
  countSockets(): Promise<number>;
  /**
   * Removes all containers and volumes of the pod, those still being made included. Rejects with InfraError
   * `CLEANUP_FAILED` when something stays; a later call tries again, and so does `sweep`.
   */
  destroy(): Promise<void>;
}

export type ProbeResult =
  | { kind: 'answered'; address: '127.0.0.1' | '::1'; status: number }
  | { kind: 'refused' }
  | { kind: 'timeout' }
  | { kind: 'bad-answer'; detail: string };

export interface Listener {
  /** "127.0.0.1", "0.0.0.0", "::1", "::" or another local address. */
  address: string;
  port: number;
}

export interface CandidateSpec {
  image: ImageId;
  command: readonly string[];
  workdir: string;
  env: Readonly<Record<string, string>>;
  limits: ServiceLimits;
  /** A sized tmpfs that survives stop, kill and start of this candidate, and ends with it. Counts as memory. */
  data?: { path: string; sizeBytes: number };
  /** "0" or "2-3": the CPUs it may run on. */
  cpuset?: string;
}

/** One candidate container; it may live several lives (start after an exit) with the same data. */
export interface Candidate {
  readonly running: boolean;
  /** Starts the process again after it ended; an error when it still runs. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves with the end of the current life (or of the last one when it has ended). */
  exit(): Promise<ExitReport>;
  /** SIGTERM, then SIGKILL after the grace. */
  stop(graceMs: number): Promise<ExitReport>;
  kill(): Promise<ExitReport>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  stats(): Promise<ResourceUsage>;
  /** What it has printed so far over all lives. */
  log(): LogCapture;
  remove(): Promise<void>;
}

/** An image of ours that serves the candidate, such as a database. It lives once, and outlives the candidate's lives. */
export interface SidecarSpec {
  /** For messages: "postgres". */
  name: string;
  image: ImageId;
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Its user, none of candidate's, grader's or another sidecar's. */
  uid: number;
  limits: ServiceLimits;
  /** A sized tmpfs that ends with it. Counts as memory. */
  data: { path: string; sizeBytes: number };
  ready: {
    /** What it prints once it takes connections. */
    log: string;
    withinMs: number;
  };
  cpuset?: string;
}

export interface Sidecar {
  readonly running: boolean;
  pause(): Promise<void>;
  resume(): Promise<void>;
  exit(): Promise<ExitReport>;
  log(): LogCapture;
  remove(): Promise<void>;
}

/** Capped, untrusted text of stdout and stderr together. */
export interface LogCapture {
  /** Head and tail of the output; a marker line tells how much lies between. */
  text: string;
  /** Bytes printed in all, as far as they were read. */
  totalBytes: number;
  truncated: boolean;
  /** Back-pressure had to slow the writer down. */
  throttled: boolean;
}

export interface GraderSpec {
  image: ImageId;
  command: readonly string[];
  limits: GraderLimits;
  /** Tar placed under /input before the start. */
  input?: Buffer;
  cpuset?: string;
}

export interface GraderProcess {
  /** Writes one protocol line (the newline is added). Rejects when the grader no longer reads. */
  send(line: string): Promise<void>;
  /** Raw stdout with back-pressure; ends when the process does. */
  readonly stdout: Readable;
  stderr(): LogCapture;
  exit(): Promise<ExitReport>;
  kill(): Promise<ExitReport>;
}

export interface SweepReport {
  removed: string[];
  /** Objects that did not go within the deadline, with the reason. */
  left: { id: string; reason: string }[];
}
