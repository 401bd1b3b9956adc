import { randomBytes } from 'node:crypto';
import type { Role } from '../domain/access.ts';
import { hashToken } from './plugins/access.ts';

/** A new secret of 256 random bits, and what is stored of it. The secret is shown once and kept nowhere. */
export function newToken(role: Role): { token: string; hash: string } {
  const token = `assay_${role}_${randomBytes(32).toString('base64url')}`;
  return { token, hash: hashToken(token) };
}
