import type { RuntimeName } from './challenge.ts';

/** One accepted file. */
export interface SubmissionFile {
  path: string;
  bytes: number;
  executable: boolean;
}

/**
 * A submission after intake: only regular files, safe names, normalised modes, in one canonical tar
 * (entries sorted by path, fixed times and owners), so that equal content has an equal digest.
 */
export interface CanonicalSubmission {
  /** "sha256:…" of the tar. */
  digest: string;
  tar: Buffer;
  files: SubmissionFile[];
  /** What a person should know: files left out by policy, likely secrets. */
  notices: string[];
}

/** How a submission is built and started, found by the rules of challenge.yaml's runtimes. */
export interface StartPlan {
  runtime: RuntimeName;
  /** Which rule decided: "assay.yaml", "Procfile", "package.json scripts.start", "app.py". */
  decidedBy: string;
  /** Manifests and lockfiles that the dependency step sees; empty when it is skipped. */
  manifests: string[];
  /** Argument vector of the dependency step, or null when there is nothing to install. */
  install: string[] | null;
  /** Argument vector of the build step, or null. */
  build: string[] | null;
  /** Argument vector of the service. */
  start: string[];
}
