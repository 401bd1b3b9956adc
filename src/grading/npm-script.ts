import { IntakeError } from '../domain/errors.ts';
import { parseCommand, toArgv } from './shell-words.ts';

const MAX_HOPS = 10;
/** A build at the start would write to the read-only folder, and the build step has run it already. */
const LEADING_BUILD = /^\s*(?:npm|yarn|pnpm)\s+(?:run\s+)?build\s*&&/;

/**
 * The argument vector behind a script of package.json, without npm in between: npm would not pass signals on.
 * "npm run x" inside it is followed, "npx tool" becomes "tool" (node_modules/.bin is on the PATH).
 * Throws IntakeError `NO_START_COMMAND` when scripts only name each other.
 */
export function commandOfScript(name: string, scripts: Readonly<Record<string, string>>): string[] {
  let current = name;
  let extra: string[] = [];
  let env: string[] = [];
  for (let hop = 0; hop < MAX_HOPS; hop += 1) {
    const text = withoutBuild(scripts[current] ?? '', scripts);
    const parsed = parseCommand(text);
    if (parsed === undefined) {
      return withEnv(env, withArguments(toArgv(text), extra));
    }
    env = [...env, ...parsed.env.map(([key, value]) => `${key}=${value}`)];
    const next = referredScript(parsed.argv, scripts);
    if (next === undefined) {
      return withEnv(env, [...withoutNpx(parsed.argv), ...extra]);
    }
    current = next.name;
    extra = [...next.extra, ...extra];
  }
  throw new IntakeError(
    'NO_START_COMMAND',
    `The script "${name}" of package.json only leads to other scripts.`,
    {
      mend: 'Let "start" name the program itself, for example "node server.js".',
    },
  );
}

function withoutBuild(text: string, scripts: Readonly<Record<string, string>>): string {
  return scripts['build'] === undefined ? text.trim() : text.replace(LEADING_BUILD, '').trim();
}

/** "npm run dev -- --port 1" → dev with ["--port", "1"]; undefined when it is no call of a script of ours. */
function referredScript(
  argv: readonly string[],
  scripts: Readonly<Record<string, string>>,
): { name: string; extra: string[] } | undefined {
  if (!/^(?:npm|yarn|pnpm)$/.test(argv[0] ?? '')) {
    return undefined;
  }
  const words = argv.slice(1).filter((word) => !/^(?:-s|--silent)$/.test(word));
  const rest = words[0] === 'run' || words[0] === 'run-script' ? words.slice(1) : words;
  const [name, ...extra] = rest;
  if (name === undefined || !Object.hasOwn(scripts, name)) {
    return undefined;
  }
  return { name, extra: extra[0] === '--' ? extra.slice(1) : extra };
}

function withoutNpx(argv: readonly string[]): string[] {
  if (argv[0] !== 'npx') {
    return [...argv];
  }
  const rest = argv.slice(1);
  while (/^(?:-y|--yes|--no|--no-install|--)$/.test(rest[0] ?? '')) {
    rest.shift();
  }
  return rest.length === 0 || rest[0]?.startsWith('-') ? [...argv] : rest;
}

function withArguments(argv: string[], extra: readonly string[]): string[] {
  const [program, flag, script] = argv;
  return extra.length === 0 || program !== 'sh' || flag === undefined || script === undefined
    ? [...argv, ...extra]
    : ['sh', flag, `${script} "$@"`, 'start', ...extra];
}

function withEnv(env: readonly string[], argv: string[]): string[] {
  return env.length === 0 ? argv : ['env', ...env, ...argv];
}
