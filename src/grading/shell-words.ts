/** A command line as a person wrote it, made ready for execution without a shell where that is possible. */
export interface ParsedCommand {
  /** Leading `NAME=value` words. */
  env: [name: string, value: string][];
  argv: string[];
}

const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s;
/** What only a shell can do: operators, expansion, patterns, comments. */
const SHELL_ONLY = /[|&;<>()$`*?[\]{}~#!\n]/;

/**
 * Splits a command line into words by the rules of POSIX quoting. Returns undefined when it needs a shell, or when
 * a quote is not closed.
 */
export function parseCommand(text: string): ParsedCommand | undefined {
  const words = splitWords(text.trim());
  if (words === undefined) {
    return undefined;
  }
  const env: [string, string][] = [];
  for (const word of words) {
    const match = ASSIGNMENT.exec(word);
    if (!match) {
      break;
    }
    env.push([match[1] ?? '', match[2] ?? '']);
  }
  return { env, argv: words.slice(env.length) };
}

/**
 * The argument vector that runs a command line. The shell steps in only where it is needed, and its last command
 * replaces it where that is possible, so that signals reach the service.
 */
export function toArgv(text: string): string[] {
  const parsed = parseCommand(text);
  if (parsed === undefined || parsed.argv.length === 0) {
    return ['sh', '-c', withExec(text.trim())];
  }
  const assignments = parsed.env.map(([name, value]) => `${name}=${value}`);
  return assignments.length === 0 ? parsed.argv : ['env', ...assignments, ...parsed.argv];
}

/** What must stay as it is: pipes, background commands, groups, comments, here-documents, several lines. */
const NOT_A_LIST = /[(){}#`\n<]|(?<![|])\|(?!\|)|(?<![&>])&(?![&\d])/;
/** Words that "exec" cannot run. */
const SHELL_WORD =
  /^(?:exec|cd|export|unset|set|if|for|while|until|case|trap|wait|exit|eval|true|false|test|umask|read|\.|\[|!|:)(?:\s|$)/;
const LEADING_ASSIGNMENTS = /^(?:[A-Za-z_]\w*=(?:[^\s"'\\]|"[^"\\]*"|'[^']*')*\s+)*/;

/** Puts "exec" before the last command of a list of commands joined by "&&" and ";". */
function withExec(line: string): string {
  // Same length, so that places in it are places in the line.
  const bare = line.replaceAll(/"(?:[^"\\]|\\.)*"|'[^']*'|\\./gs, (quoted) => 'q'.repeat(quoted.length));
  if (NOT_A_LIST.test(bare.replaceAll(/\$\{\w+\}/g, '')) || /\|\|/.test(bare) || /["']/.test(bare)) {
    return line;
  }
  const last = line.slice(/^(?:.*(?:&&|;))?/s.exec(bare)?.[0].length).trimStart();
  const place = line.length - last.length + (LEADING_ASSIGNMENTS.exec(last)?.[0].length ?? 0);
  const command = line.slice(place);
  return command === '' || SHELL_WORD.test(command) ? line : `${line.slice(0, place)}exec ${command}`;
}

function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let index = 0;
  while (index < text.length) {
    const character = text[index] ?? '';
    if (/[ \t]/.test(character)) {
      if (word !== undefined) {
        words.push(word);
      }
      word = undefined;
      index += 1;
      continue;
    }
    const piece = readPiece(text, index);
    if (piece === undefined) {
      return undefined;
    }
    word = (word ?? '') + piece.value;
    index = piece.end;
  }
  return word === undefined ? words : [...words, word];
}

interface Piece {
  value: string;
  end: number;
}

function readPiece(text: string, start: number): Piece | undefined {
  const character = text[start] ?? '';
  if (character === "'") {
    const end = text.indexOf("'", start + 1);
    return end === -1 ? undefined : { value: text.slice(start + 1, end), end: end + 1 };
  }
  if (character === '"') {
    return readDoubleQuoted(text, start);
  }
  if (character === '\\') {
    return start + 1 < text.length ? { value: text[start + 1] ?? '', end: start + 2 } : undefined;
  }
  return SHELL_ONLY.test(character) ? undefined : { value: character, end: start + 1 };
}

function readDoubleQuoted(text: string, start: number): Piece | undefined {
  let value = '';
  let index = start + 1;
  while (index < text.length && text[index] !== '"') {
    const character = text[index] ?? '';
    if (character === '$' || character === '`') {
      return undefined;
    }
    const next = text[index + 1];
    const escaped = character === '\\' && next !== undefined && '"\\$`'.includes(next);
    value += escaped ? next : character;
    index += escaped ? 2 : 1;
  }
  return index < text.length ? { value, end: index + 1 } : undefined;
}
