import type { IntakeLimits } from './limits.ts';
import { quoteName, refusal } from './refusals.ts';

/**
 * Controls, invisible and direction-changing characters, line separators. U+FFFD is what a broken decoder
 * leaves behind, so a name that has it was damaged on the way.
 */
const UNSAFE_CHARACTER = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFD]/u;

/**
 * Turns the raw name of an entry (no trailing slash) into a relative path with `/` between segments.
 * Names are refused, never repaired: a repaired name could mean one file to us and another to the candidate.
 * Throws IntakeError ARCHIVE_UNSAFE_PATH.
 */
export function toEntryPath(raw: Buffer, limits: IntakeLimits): string {
  if (raw.length > limits.pathBytes) {
    throw unsafe(raw, `is longer than ${limits.pathBytes} bytes`, 'Shorten the names of its folders.');
  }
  const path = decodeUtf8(raw);
  if (path === undefined) {
    throw unsafe(raw, 'is not valid UTF-8', 'Rename the file with plain letters and pack again.');
  }
  const character = UNSAFE_CHARACTER.exec(path);
  if (character) {
    throw unsafe(raw, 'holds a control or invisible character', 'Rename the file with plain letters.');
  }
  if (path.includes('\\')) {
    throw unsafe(raw, 'holds a backslash', 'Pack with a tool that writes "/" between folders, such as tar.');
  }
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) {
    throw unsafe(raw, 'is an absolute path', 'Pack from inside the project folder, with relative names.');
  }
  if (path !== path.normalize('NFC')) {
    throw unsafe(raw, 'is not in composed Unicode form (NFC)', 'Rename the file with plain letters.');
  }
  checkSegments(raw, path, limits);
  return path;
}

function checkSegments(raw: Buffer, path: string, limits: IntakeLimits): void {
  const segments = path.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw unsafe(raw, 'holds an empty, "." or ".." segment', 'Pack from inside the project folder.');
  }
  if (segments.length > limits.depth) {
    throw unsafe(raw, `is more than ${limits.depth} folders deep`, 'Flatten the folders.');
  }
  if (segments.some((segment) => Buffer.byteLength(segment) > limits.segmentBytes)) {
    throw unsafe(raw, `has a segment longer than ${limits.segmentBytes} bytes`, 'Shorten the name.');
  }
}

/** Decodes UTF-8 strictly. Returns undefined when the bytes are no UTF-8. */
function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function unsafe(raw: Buffer, what: string, mend: string): Error {
  return refusal('ARCHIVE_UNSAFE_PATH', `The name ${quoteName(raw)} ${what}.`, mend);
}

/**
 * The form in which two paths are the same file on a file system that ignores case. Upper case first,
 * because it unfolds what has no single lower-case partner ("ß", "ſ").
 */
export function toCaseKey(path: string): string {
  return path.toUpperCase().toLowerCase().normalize('NFC');
}
