import type { Refusal } from '../store/submission-store.ts';
import { notFound, Problem } from './problems.ts';
import { iso } from './schemas/time.ts';

/** Why a submission was not taken, for its sender. No attempt was used. */
export function refusalProblem(refusal: Refusal): Problem {
  switch (refusal.kind) {
    case 'not-open':
      return new Problem('WINDOW_NOT_OPEN', `Submissions are taken from ${iso(refusal.opensAt)}.`);
    case 'closed':
      return new Problem('WINDOW_CLOSED', `Submissions were taken until ${iso(refusal.closesAt)}.`);
    case 'no-attempts':
      return new Problem('NO_ATTEMPTS_LEFT', `${refusal.used} of ${refusal.max} were used.`, {
        members: { max: refusal.max, used: refusal.used },
      });
    case 'revoked':
      return new Problem('INVITATION_REVOKED', 'Ask the people who invited you.');
    case 'idempotency-conflict':
      return new Problem('IDEMPOTENCY_CONFLICT', 'This key was used for another upload. Take a new key.');
    case 'unknown':
      return notFound('invitation');
  }
}
