import type { RunIdentity } from '../sandbox-engine.ts';

/** What a container of ours is for. */
export type Role = 'pause' | 'candidate' | 'grader' | 'holder' | 'build' | 'probe' | 'sidecar' | 'lock';

/** Who made it: the installation (one ASSAY_HOME) and the owning process of it. */
export interface Owner {
  install: string;
  /** Unique per process: pid and random part. */
  owner: string;
}

export const APP_LABEL = 'app=assay';

/** Labels of every object we create. `assay.run` is empty on a warm pause that no run has taken yet. */
export function labelsFor(owner: Owner, identity: RunIdentity, role: Role): Record<string, string> {
  return {
    app: 'assay',
    'assay.install': owner.install,
    'assay.owner': owner.owner,
    'assay.run': identity.run,
    'assay.epoch': String(identity.epoch),
    'assay.role': role,
  };
}
