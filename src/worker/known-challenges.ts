import type { Challenge } from '../domain/challenge.ts';
import type { ChallengeVersion } from '../store/challenge-store.ts';

/** Bundles can be large: a worker mostly grades submissions of a few versions at a time. */
const MOST = 4;

/** The challenges of the bundles that were graded last. Their folders are gone. */
export interface KnownChallenges {
  /** Answers a challenge that is known, or what `load` makes of it; one that fails to load is tried again next time. */
  get(version: Pick<ChallengeVersion, 'bundleBlob'>, load: () => Promise<Challenge>): Promise<Challenge>;
}

/**
 * Reading a bundle takes a good part of a second: it is done once, not for each run. A version may get another bundle
 * whose graded files are the same; a blob never changes.
 */
export function makeKnownChallenges(): KnownChallenges {
  const known = new Map<string, Promise<Challenge>>();

  function keep(blob: string, challenge: Promise<Challenge>): void {
    known.delete(blob);
    known.set(blob, challenge);
    const [oldest] = known.keys();
    if (known.size > MOST && oldest !== undefined) {
      known.delete(oldest);
    }
  }

  return {
    get: async ({ bundleBlob: blob }, load) => {
      const challenge = known.get(blob) ?? load();
      keep(blob, challenge);
      try {
        return await challenge;
      } catch (error) {
        if (known.get(blob) === challenge) {
          known.delete(blob);
        }
        throw error;
      }
    },
  };
}
