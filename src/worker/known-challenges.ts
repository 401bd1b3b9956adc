import type { Challenge } from '../domain/challenge.ts';
import type { ChallengeVersion } from '../store/challenge-store.ts';

/** Bundles can be large: a worker mostly grades submissions of a few versions at a time. */
const MOST = 4;

/** The challenges of the versions that were graded last. */
export interface KnownChallenges {
  /** Answers a challenge that is known, or what `load` makes of it; one that fails to load is tried again next time. */
  get(version: Pick<ChallengeVersion, 'id'>, load: () => Promise<Challenge>): Promise<Challenge>;
}

/** A version never changes, and reading its bundle takes a good part of a second: it is done once, not for each run. */
export function makeKnownChallenges(): KnownChallenges {
  const known = new Map<string, Promise<Challenge>>();

  function keep(id: string, challenge: Promise<Challenge>): void {
    known.delete(id);
    known.set(id, challenge);
    const [oldest] = known.keys();
    if (known.size > MOST && oldest !== undefined) {
      known.delete(oldest);
    }
  }

  return {
    get: async ({ id }, load) => {
      const challenge = known.get(id) ?? load();
      keep(id, challenge);
      try {
        return await challenge;
      } catch (error) {
        if (known.get(id) === challenge) {
          known.delete(id);
        }
        throw error;
      }
    },
  };
}
