import { CHECK_USAGE } from './check-command.ts';
import { GRADE_USAGE } from './grade-command.ts';
import { IMPORT_USAGE } from './import-command.ts';
import { LOAD_USAGE } from './load-command.ts';
import { SERVE_USAGE } from './serve-command.ts';
import { SERVICES_USAGE } from './services-command.ts';
import { SUBMIT_USAGE } from './submit-command.ts';
import { TOKEN_USAGE } from './token-command.ts';

const GRADE_CODES =
  'Exit codes of grade: 0 passed · 1 graded, not passed · 2 refused · 3 our fault or inconclusive · 130 interrupted';
const CHECK_CODES =
  'Exit codes of check: 0 blessed · 1 not blessed · 2 the bundle is wrong · 3 our fault · 130 interrupted';
const SCHEMA = 'assay schema NAME print the JSON Schema of challenge, suite, load or expect, for editors';
const DOCTOR = "assay doctor      prove the sandbox on this machine's engine";
const CLEAN = 'assay clean       remove what dead runs of this installation left behind';
const SETUP = "assay setup       build assay's own images; with --all also those that few challenges need";

/** How each command is called. */
const USAGES: ReadonlyMap<string, string> = new Map([
  ['grade', `${GRADE_USAGE}\n\n${GRADE_CODES}`],
  ['check', `${CHECK_USAGE}\n\n${CHECK_CODES}`],
  ['import', IMPORT_USAGE],
  ['load', LOAD_USAGE],
  ['submit', SUBMIT_USAGE],
  ['schema', SCHEMA],
  ['serve', SERVE_USAGE],
  ['worker', SERVE_USAGE],
  ['services', SERVICES_USAGE],
  ['token', TOKEN_USAGE],
  ['doctor', DOCTOR],
  ['clean', CLEAN],
  ['setup', SETUP],
]);

/** How assay is called, with every command. */
export const USAGE = `Usage:
${indented(GRADE_USAGE, CHECK_USAGE, IMPORT_USAGE, LOAD_USAGE, SUBMIT_USAGE)}

${indented([SCHEMA, SERVE_USAGE, SERVICES_USAGE, TOKEN_USAGE].join('\n'), [DOCTOR, CLEAN, SETUP].join('\n'))}

${GRADE_CODES}
${CHECK_CODES}`;

function indented(...texts: string[]): string {
  return texts.map((text) => text.replaceAll(/^(?=.)/gm, '  ')).join('\n\n');
}

/** The text that a command line asks for with "help", --help or -h; undefined: it asks for something else. */
export function helpFor([command, ...rest]: readonly string[]): string | undefined {
  if (command === 'help' || command === '--help' || command === '-h') {
    return USAGES.get(rest[0] ?? '') ?? USAGE;
  }
  const end = rest.indexOf('--');
  const options = end < 0 ? rest : rest.slice(0, end);
  const asked = options.includes('--help') || options.includes('-h');
  return asked ? USAGES.get(command ?? '') : undefined;
}
