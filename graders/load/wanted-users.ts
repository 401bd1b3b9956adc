import type { ClosedPhase } from '../../src/domain/load-shape.ts';

/** How many users a closed phase is to have `elapsedMs` after it began with `startUsers`. */
export function wantedUsers(phase: ClosedPhase, startUsers: number, elapsedMs: number): number {
  const { users, spawnPerSecond } = phase;
  const steps = spawnPerSecond === undefined ? Infinity : Math.floor((elapsedMs / 1000) * spawnPerSecond) + 1;
  return users >= startUsers ? Math.min(users, startUsers + steps) : Math.max(users, startUsers - steps);
}
