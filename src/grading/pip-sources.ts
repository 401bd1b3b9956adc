import { posix } from 'node:path';
import { IntakeError } from '../domain/errors.ts';
import { manifestError, type Project, readManifest } from './project.ts';

/** PEP 508 without its "@ address" form: name, extras, versions, marker; and no option behind it. */
const REQUIREMENT =
  /^(?!.*\s-)[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?\s*(?:\[[\w\s,.-]*\])?\s*(?:\(?\s*(?:~=|===?|!=|<=?|>=?)[\w.*+!,<>=~\s-]*\)?)?\s*(?:;[^@/:#$\\]*)?$/;
const HASHES = /\s+--hash[= ]sha(?:256|384|512):[0-9a-f]+/g;
const INCLUDE = /^(?:-[rc]\s*|--(?:requirement|constraint)(?:\s+|=))((?:\.\/)?\w[\w./-]*)$/;
/** Options that only make the installation stricter or choose among the index's own versions. */
const HARMLESS = /^--(?:require-hashes|pre|prefer-binary|only-binary(?:\s+|=):all:)$/;
/** Python ends lines at more characters than others do; a line must be the same to pip and to us. */
const ODD_LINE_END = /[^\P{Cc}\t\r\n]|[\u2028\u2029]/u;
const MAX_FILES = 20;

const MEND =
  'Use a version that the package index has, or hand in wheels in a folder "wheels", or the code itself as part of your files.';

/** What a requirements file asks for, checked. */
export interface Requirements {
  /** The file and those it includes, each once. */
  files: string[];
  /** Lines that name a package. */
  count: number;
}

/**
 * Reads a requirements file as pip does and refuses all that would send pip anywhere but the configured index or
 * make it run a package's code: addresses, paths, editable installs, options of its own. Throws IntakeError
 * `DEPENDENCY_SOURCE` with file and line, or `MANIFEST_INVALID`.
 */
export function readRequirements(project: Project, path: string): Requirements {
  const files = new Set<string>();
  let count = 0;
  const open = [path];
  for (let file = open.shift(); file !== undefined; file = open.shift()) {
    if (files.has(file)) {
      continue;
    }
    files.add(file);
    if (files.size > MAX_FILES) {
      throw manifestError(
        path,
        `includes more than ${MAX_FILES} files`,
        'Write the requirements in one file.',
      );
    }
    const text = readManifest(project, file);
    if (text === undefined) {
      throw manifestError(
        path,
        `includes "${file}", which is not there`,
        'Hand the file in, or remove the line.',
      );
    }
    if (ODD_LINE_END.test(text)) {
      throw manifestError(file, 'has control characters', 'Save it as plain text.');
    }
    for (const line of logicalLines(text)) {
      const included = checkLine(file, line);
      if (included === undefined) {
        count += 1;
      } else if (included !== '') {
        open.push(posix.normalize(posix.join(posix.dirname(file), included)));
      }
    }
  }
  return { files: [...files], count };
}

/** Checks one requirement of another file, such as pyproject.toml. Throws IntakeError `DEPENDENCY_SOURCE`. */
export function checkRequirement(place: string, requirement: string): void {
  if (!REQUIREMENT.test(requirement.trim())) {
    throw refused(place, requirement);
  }
}

interface Line {
  number: number;
  text: string;
}

/** Returns the included file, "" for an option, undefined for a requirement. */
function checkLine(file: string, line: Line): string | undefined {
  const place = `${file}:${line.number}`;
  if (HARMLESS.test(line.text)) {
    return '';
  }
  const included = INCLUDE.exec(line.text)?.[1];
  if (included !== undefined && !included.includes('..')) {
    return included;
  }
  checkRequirement(place, line.text.replaceAll(HASHES, ''));
  return undefined;
}

/** Joins continued lines and takes comments off, in pip's order. */
function logicalLines(text: string): Line[] {
  const lines: Line[] = [];
  let pending: Line | undefined;
  const physical = text.split(/\r\n|\n|\r/);
  for (const [index, raw] of physical.entries()) {
    const isComment = /^\s*#/.test(raw);
    const joined: string = pending ? pending.text + (isComment ? ` ${raw}` : raw) : raw;
    const number = pending?.number ?? index + 1;
    if (joined.endsWith('\\') && !isComment) {
      pending = { number, text: joined.replace(/\\+$/, '') };
      continue;
    }
    pending = undefined;
    lines.push({ number, text: joined });
  }
  return [...lines, ...(pending ? [pending] : [])]
    .map(({ number, text: content }) => ({ number, text: content.replace(/(^|\s+)#.*$/, '').trim() }))
    .filter((line) => line.text !== '');
}

function refused(place: string, text: string): IntakeError {
  const shown = text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 120);
  return new IntakeError(
    'DEPENDENCY_SOURCE',
    `${place}: "${shown}" is no package and version of the index.`,
    {
      mend: MEND,
    },
  );
}
