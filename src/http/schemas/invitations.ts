import { z } from 'zod';
import type { Invitation } from '../../store/access-store.ts';
import { iso, isoOrNull } from './time.ts';

export const InvitationBody = z
  .object({
    id: z.string(),
    candidate: z
      .object({ id: z.string(), name: z.string().nullable(), email: z.string().nullable() })
      .nullable()
      .describe('null: hidden from you, the challenge is blind'),
    challenge: z.object({ slug: z.string(), version: z.number().int() }),
    opensAt: z.string(),
    closesAt: z.string(),
    late: z.enum(['refuse', 'accept-marked']),
    attempts: z.object({ max: z.number().int(), used: z.number().int() }),
    dryRuns: z.object({ max: z.number().int(), used: z.number().int() }),
    releasedAt: z.string().nullable().describe('When feedback marked after_published was released'),
    revokedAt: z.string().nullable(),
    createdAt: z.string(),
  })
  .meta({ id: 'Invitation' });

/** An invitation as its candidate, or staff, see it. */
export function toInvitationBody(
  invitation: Invitation,
  showCandidate: boolean,
): z.output<typeof InvitationBody> {
  const { candidateId: id, candidateName: name, candidateEmail: email } = invitation;
  return {
    id: invitation.id,
    candidate: showCandidate ? { id, name, email } : null,
    challenge: { slug: invitation.slug, version: invitation.version },
    opensAt: iso(invitation.opensAt),
    closesAt: iso(invitation.closesAt),
    late: invitation.late,
    attempts: { max: invitation.maxAttempts, used: invitation.usedAttempts },
    dryRuns: { max: invitation.maxDryRuns, used: invitation.usedDryRuns },
    releasedAt: isoOrNull(invitation.releasedAt),
    revokedAt: isoOrNull(invitation.revokedAt),
    createdAt: iso(invitation.createdAt),
  };
}
