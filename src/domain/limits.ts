/** What one container of a candidate's service may use. */
export interface ServiceLimits {
  /** CPUs' worth of time, 0.5 = half of one. */
  cpus: number;
  memoryBytes: number;
  /** Processes and threads together. */
  pids: number;
  /** Open file descriptors. */
  files: number;
  /** Wall-clock life of one stage's container, ms. */
  wallMs: number;
}

/** What one build step may use. */
export interface BuildLimits {
  cpus: number;
  memoryBytes: number;
  pids: number;
  /** Bytes the step may add to its writable root. */
  diskBytes: number;
  wallMs: number;
}

/** What a grader's container may use; read from its grader.yaml. */
export interface GraderLimits {
  cpus: number;
  memoryBytes: number;
  pids: number;
  files: number;
  wallMs: number;
}
