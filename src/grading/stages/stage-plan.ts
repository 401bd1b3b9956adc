import type { BundleFile } from '../../domain/challenge.ts';
import type { ReferenceNeed } from '../../domain/load-plan.ts';
import type { Grader } from '../graders.ts';
import type { PlannedStage } from '../../report/run-facts.ts';

/** What one grader container is told to do against one life of the service. */
export interface GraderTask {
  /** One of ours by its name; with `own` the author's, by its image. */
  grader: string;
  own?: Pick<Grader, 'command' | 'limits'>;
  plan: unknown;
  /** Files of the bundle that it finds under /input. */
  files?: readonly BundleFile[];
  deadlineMs: number;
  /**
   * The plan is to carry the CPUs of the service and, where it needs that, what the reference service reaches on them.
   * `turns`: the reference is measured in turns with the service as well.
   */
  calibrate?: { reference: ReferenceNeed; turns: boolean };
}

/** A stage with everything decided. Its tasks run one after another, each on a new service with empty data. */
export interface StagePlan extends PlannedStage {
  tasks: GraderTask[];
  /** The service and the generator get CPUs of their own where the host has more than one. */
  exclusive: boolean;
}
