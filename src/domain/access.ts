import { z } from 'zod';

/** Who may call what. A candidate holds the token of one invitation. */
export const RoleSchema = z.enum(['admin', 'reviewer', 'candidate']);
export type Role = z.infer<typeof RoleSchema>;

/** Who makes a call, as found by their token. */
export interface Principal {
  tokenId: string;
  role: Role;
  /** For the audit log and reviews: "Grace", "ci". */
  name: string;
  /** The one invitation of a candidate's token. */
  invitationId: string | null;
  /** Slugs that a reviewer was granted; null = all. Admins always have null. */
  challenges: readonly string[] | null;
}
