import { createHash } from 'node:crypto';

/**
 * Digest of everything a build's result depends on. Each part is preceded by its length, so that no two lists of
 * parts run together to the same bytes. Returns hex.
 */
export function buildKey(parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('hex');
}
