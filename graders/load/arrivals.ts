import type { OpenPhase } from '../../src/domain/load-shape.ts';
import { makePrng } from '../shared/prng.ts';
import type { CompiledTask, UserKind } from './compile-plan.ts';
import { weightedPick } from './user-mix.ts';

/** The moments at which an open phase lets requests arrive, ms after its start, in order. */
export interface ArrivalSchedule {
  /** How many arrive in the whole phase. */
  readonly count: number;
  /** When number `index` (from 0) arrives. */
  timeMs(index: number): number;
}

/**
 * Spreads arrivals evenly under the rate, constant or changing evenly. Times follow from their number alone,
 * so lateness of one never moves the next.
 */
export function scheduleArrivals({ fromPerSecond, toPerSecond, durationMs }: OpenPhase): ArrivalSchedule {
  const seconds = durationMs / 1000;
  const count = Math.round(((fromPerSecond + toPerSecond) / 2) * seconds);
  // With the rate f + gt, n(t) = ft + gt²/2 have arrived at t; solved for t in the form that also bears g = 0.
  const growth = (toPerSecond - fromPerSecond) / seconds;
  function timeMs(index: number): number {
    const root = Math.sqrt(Math.max(0, fromPerSecond * fromPerSecond + 2 * growth * index));
    const denominator = fromPerSecond + root;
    return denominator === 0 ? 0 : (2 * index * 1000) / denominator;
  }
  return { count, timeMs };
}

/** Draws who arrives and what for. The order follows from the seed alone, whoever is free to run it. */
export function arrivalDraw(
  kinds: readonly UserKind[],
  seed: string,
): () => { kind: UserKind; task: CompiledTask } {
  const prng = makePrng(`${seed}/arrivals`);
  const pickKind = weightedPick(kinds.map((kind) => kind.fixedCount ?? kind.weight));
  return () => {
    const kind = kinds[pickKind(prng.next())];
    if (!kind) {
      throw new Error('a plan has users');
    }
    return { kind, task: kind.tasks[kind.pickTask(prng.next())] ?? kind.tasks[0] };
  };
}
