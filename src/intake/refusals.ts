import { IntakeError } from '../domain/errors.ts';

interface Refusal {
  /** What an HTTP interface answers: 413 too much, 415 not a format we read, 422 read and refused. */
  httpStatus: 413 | 415 | 422;
  meaning: string;
}

/** Every code with which intake refuses a submission. */
export const REFUSALS = {
  ARCHIVE_TYPE: { httpStatus: 415, meaning: 'not a zip, tar or gzip-compressed tar by its first bytes' },
  ARCHIVE_TOO_LARGE: { httpStatus: 413, meaning: 'over a size limit, or packed suspiciously tightly' },
  ARCHIVE_TOO_MANY_FILES: { httpStatus: 413, meaning: 'more files and folders than allowed' },
  ARCHIVE_UNSAFE_PATH: {
    httpStatus: 422,
    meaning: 'a name that leaves the folder or cannot be shown safely',
  },
  ARCHIVE_LINK: { httpStatus: 422, meaning: 'a symbolic or hard link' },
  ARCHIVE_SPECIAL_FILE: { httpStatus: 422, meaning: 'a device, pipe or socket' },
  ARCHIVE_OVERLAP: { httpStatus: 422, meaning: 'zip entries that share the same bytes' },
  ARCHIVE_DUPLICATE: { httpStatus: 422, meaning: 'two entries that would be the same file somewhere' },
  ARCHIVE_CORRUPT: { httpStatus: 422, meaning: 'truncated, damaged or contradicting itself' },
  ARCHIVE_ENCRYPTED: { httpStatus: 422, meaning: 'protected by a password' },
  ARCHIVE_UNSUPPORTED: { httpStatus: 422, meaning: 'a feature of the format that intake does not read' },
  ARCHIVE_UNREADABLE: { httpStatus: 422, meaning: 'a file or folder that does not exist or cannot be read' },
  NO_PROJECT: { httpStatus: 422, meaning: 'no file is left to grade' },
} as const satisfies Record<string, Refusal>;

export type RefusalCode = keyof typeof REFUSALS;

/** Whether `code` is one of the intake codes. */
export function isRefusalCode(code: string): code is RefusalCode {
  return Object.hasOwn(REFUSALS, code);
}

/** Builds the error for one refusal. */
export function refusal(code: RefusalCode, message: string, mend: string): IntakeError {
  return new IntakeError(code, message, { mend });
}

/** The mend for anything that is no submission at all. */
export const HAND_IN = 'Hand in a folder, a .zip, a .tar or a .tar.gz.';

const SHOWN_CHARACTERS = 120;
const UNSHOWABLE = /[\p{C}\p{Zl}\p{Zp}"\\\uFFFD]/gu;

/**
 * Quotes the name of an entry for a message: controls, invisible and direction-changing characters as
 * \u{…}, bytes that are no UTF-8 as \x…, cut after 120 characters.
 */
export function quoteName(name: string | Buffer): string {
  const shown = typeof name === 'string' ? escapeText(name) : escapeBytes(name);
  return shown.length > SHOWN_CHARACTERS ? `"${shown.slice(0, SHOWN_CHARACTERS)}…"` : `"${shown}"`;
}

function escapeBytes(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.includes('\uFFFD')
    ? bytes.toString('latin1').replace(/[^ -~]|["\\]/g, (c) => `\\x${hex(c, 2)}`)
    : escapeText(text);
}

function escapeText(text: string): string {
  return text.replace(UNSHOWABLE, (c) => (c === '"' || c === '\\' ? `\\${c}` : `\\u{${hex(c, 1)}}`));
}

function hex(character: string, digits: number): string {
  return (character.codePointAt(0) ?? 0).toString(16).padStart(digits, '0');
}
