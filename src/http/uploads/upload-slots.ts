import { Problem } from '../problems.ts';

const RETRY_SECONDS = 5;

export interface UploadSlots {
  /** Takes a place for this token; the answer gives it back. Throws Problem when there is none. */
  take(tokenId: string): () => void;
}

/** Bounds uploads on their way in, so that a few tokens with slow clients cannot take every place. */
export function makeSlots(inAll: number, perToken: number, what: string): UploadSlots {
  const byToken = new Map<string, number>();
  let taken = 0;
  return {
    take: (tokenId) => {
      const own = byToken.get(tokenId) ?? 0;
      if (own >= perToken) {
        const detail = `This token has ${perToken} ${what} open already.`;
        throw new Problem('TOO_MANY_REQUESTS', detail, { retryAfterSeconds: RETRY_SECONDS });
      }
      if (taken >= inAll) {
        throw new Problem('BUSY', `Too many ${what} are open.`, { retryAfterSeconds: RETRY_SECONDS });
      }
      taken += 1;
      byToken.set(tokenId, own + 1);
      let given = false;
      return () => {
        if (given) {
          return;
        }
        given = true;
        taken -= 1;
        const left = (byToken.get(tokenId) ?? 1) - 1;
        if (left === 0) {
          byToken.delete(tokenId);
        } else {
          byToken.set(tokenId, left);
        }
      };
    },
  };
}
