import type { Config } from '../config.ts';
import type { AssayError } from '../domain/errors.ts';
import { parseDuration } from '../domain/units.ts';
import { newToken } from '../http/new-token.ts';
import { systemClock } from '../shared/clock.ts';
import type { NewToken } from '../store/access-store.ts';
import type { Store } from '../store/store.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';
import { readArguments, usageError } from './read-arguments.ts';

export const TOKEN_USAGE = `assay token create --role admin|reviewer [--name NAME] [--challenges a,b] [--expires 90d]`;

/** Makes a token on the host, also when every admin token is lost. Prints the token alone on stdout. */
export async function runToken(
  args: string[],
  config: Config,
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  const wanted = parseTokenOptions(args);
  // Not before it is needed: the service, too, adds a token at its first start, and has a store open.
  const { openStore } = await import('../open-store.ts');
  const store = await openStore(config, signal);
  try {
    const { token, hash } = newToken(wanted.role);
    await addTokenFromHost(store, { ...wanted, hash }, 'assay token create');
    io.stdout.write(`${token}\n`);
    return EXIT.passed;
  } finally {
    await store.close();
  }
}

/** Keeps a token that nobody with a token has asked for, and notes by which way it came; both or neither. */
export async function addTokenFromHost(
  store: Pick<Store, 'together'>,
  token: NewToken,
  by: string,
): Promise<void> {
  await store.together(async (changes) => {
    const { id } = await changes.access.addToken(token);
    await changes.audit.add({
      actorId: null,
      actor: 'system',
      action: 'token.create',
      object: `token ${id}`,
      details: { role: token.role, name: token.name, by },
    });
  });
}

interface WantedToken {
  role: 'admin' | 'reviewer';
  name: string;
  challenges: string[] | null;
  expiresAt: Date | null;
}

/** Reads the command line of `assay token create`. Throws AssayError `USAGE`. */
export function parseTokenOptions(args: string[]): WantedToken {
  const { values, positionals } = readArguments(
    args,
    {
      role: { type: 'string' },
      name: { type: 'string' },
      challenges: { type: 'string' },
      expires: { type: 'string' },
    },
    TOKEN_USAGE,
  );
  const { role, name, challenges, expires } = values;
  if (positionals.join(' ') !== 'create' || (role !== 'admin' && role !== 'reviewer')) {
    throw usage('say which token to create');
  }
  if (role === 'admin' && challenges !== undefined) {
    throw usage('an admin sees all challenges; --challenges is for reviewers');
  }
  const lifeMs = expires === undefined ? undefined : readLife(expires);
  return {
    role,
    name: name ?? role,
    challenges: challenges?.split(',').map((slug) => slug.trim()) ?? null,
    expiresAt: lifeMs === undefined ? null : new Date(systemClock.now().getTime() + lifeMs),
  };
}

function readLife(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) {
    throw usage(`--expires takes a time such as 90d or 12h, not "${text}"`);
  }
  return ms;
}

function usage(message: string): AssayError {
  return usageError(message, TOKEN_USAGE);
}
