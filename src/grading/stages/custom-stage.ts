import type { OwnGrader } from '../../domain/challenge.ts';
import type { StagePlan } from './stage-plan.ts';

/** Plans the custom stage: graders of the author's own, one after another, each against a service of its own. */
export function planCustom(graders: readonly OwnGrader[], weight: number): StagePlan {
  return {
    name: 'custom',
    weight,
    exclusive: false,
    checks: graders.flatMap(({ checks }) =>
      checks.map(({ points, ...check }) => ({ ...check, suite: 'Custom', maxPoints: points })),
    ),
    tasks: graders.map(({ image, command, limits, deadline, files }) => ({
      grader: image,
      own: {
        command,
        limits: {
          cpus: limits.cpus,
          memoryBytes: limits.memory,
          pids: limits.pids,
          files: limits.files,
          wallMs: deadline,
        },
      },
      plan: {},
      files,
      deadlineMs: deadline,
    })),
  };
}
