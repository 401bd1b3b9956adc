import type { BuildOutcome, BuildPlan, CandidateSpec, GraderSpec, SidecarSpec } from '../sandbox-engine.ts';

/** What happens in a fake sandbox. Everything left out has a harmless default. */
export interface FakeScript {
  /** One life of a candidate, called at each start. Default: listens on port 8080 and answers 200 for ever. */
  candidate?: (service: FakeService, spec: CandidateSpec) => void;
  /** A grader's program; its value is the exit code. Default: exits with 0 at once. */
  grader?: (io: FakeGraderIo, spec: GraderSpec) => Promise<number> | number;
  /** A sidecar's program. Default: prints what says that it is ready, and runs for ever. */
  sidecar?: (io: FakeSidecarIo, spec: SidecarSpec) => void;
  /** Default: succeeds at once with an image named after the plan's key. */
  build?: (plan: BuildPlan, signal: AbortSignal) => Promise<BuildOutcome> | BuildOutcome;
  /** Images that the engine has besides ours, by reference, with the volumes that they declare. */
  images?: Readonly<Record<string, readonly string[]>>;
  /** Called by every engine call with its name; throw to let it fail, as an engine that does not answer would. */
  onCall?: (call: FakeCall) => void;
}

type FakeCall =
  | 'openPod'
  | 'startCandidate'
  | 'startSidecar'
  | 'startGrader'
  | 'pause'
  | 'resume'
  | 'pauseSidecar'
  | 'resumeSidecar'
  | 'probe'
  | 'ownHost'
  | 'destroy';

/** What a candidate's script can do. Calls after its end do nothing. */
export interface FakeService {
  /** 1 for the first life of this container. */
  readonly life: number;
  /** Survives the lives of this candidate; undefined without `data` in its spec. */
  readonly data: Map<string, string> | undefined;
  /** Aborted at the end of this life: clear timers then. */
  readonly signal: AbortSignal;
  log(text: string): void;
  /** Answers probes from now on. `answer` decides each one; default is status 200. */
  listen(port: number, options?: FakeListenOptions): void;
  exit(exitCode: number): void;
  /** Ends as one that used more than its memory. */
  runOutOfMemory(): void;
  /** Ends as one whose command cannot be executed. */
  failToStart(reason: string): void;
  /** Shown by stats from now on. */
  use(usage: { cpuMs?: number; memoryBytes?: number; pids?: number }): void;
  /** Replaces the default reaction to SIGTERM, which is to end with 143 at once. */
  onTerminate(react: () => void): void;
}

/** What a sidecar's script can do. */
export interface FakeSidecarIo {
  log(text: string): void;
  exit(exitCode: number): void;
}

export interface FakeListenOptions {
  address?: '127.0.0.1' | '::1' | '0.0.0.0' | '::';
  answer?: (path: string) => number | 'never' | 'close';
}

/** What a grader's script can do. */
export interface FakeGraderIo {
  /** The next line of stdin; undefined when no more comes. */
  readLine(): Promise<string | undefined>;
  /** Writes a line to stdout; an object is written as JSON. Resolves when there is room for more. */
  emit(line: string | object): Promise<void>;
  stderr(text: string): void;
  /** Aborted when the grader is killed. */
  readonly signal: AbortSignal;
}
