import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import type { Transaction } from 'kysely';
import pg from 'pg';
import { AssayError, InfraError } from '../../domain/errors.ts';
import { NulSafePlugin } from './nul-safe-plugin.ts';
import type { Database } from './schema.ts';

export type Tx = Transaction<Database>;
export type Reader = Kysely<Database>;

/** The database with its faults translated: every call ends within seconds, in a value or in an error of ours. */
export interface Connection {
  /** For statements that change nothing, or are one transaction by themselves. */
  read<T>(work: (db: Reader) => Promise<T>): Promise<T>;
  /** One transaction; tried again when the database chose it as the victim of a deadlock. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  pool: pg.Pool;
  close(): Promise<void>;
}

const CONNECT_MS = 8000;
const STATEMENT_MS = 10_000;
const LOCK_MS = 5000;
const MAX_CONNECTIONS = 12;
const DEADLOCK_TRIES = 3;

/** How every connection of ours is made; `listen` connections too. */
export function connectionSettings(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    lock_timeout: LOCK_MS,
    // Above the server's own limit: it speaks only where the server cannot.
    query_timeout: STATEMENT_MS + 2000,
    idle_in_transaction_session_timeout: 2 * STATEMENT_MS,
    keepAlive: true,
    application_name: 'assay',
  };
}

/** Opens a pool; connects on first use. `onError` hears of connections that broke. */
export function openConnection(url: string, onError: (error: Error) => void): Connection {
  const pool = new pg.Pool({ ...connectionSettings(url), max: MAX_CONNECTIONS });
  pool.on('error', onError);
  // The pool listens to idle connections only. One that breaks between two statements of a transaction has nobody, and
  // an 'error' that nobody hears ends the process; the next statement on it fails anyway.
  pool.on('connect', (client) => client.on('error', onError));
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new NulSafePlugin(), new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  return {
    read: (work) => translated(() => work(db)),
    write: (work) => translated(() => withoutDeadlock(() => db.transaction().execute(work))),
    pool,
    close: () => db.destroy(),
  };
}

/** The same connection inside of a transaction, which alone translates faults and tries again. */
export function within(connection: Connection, tx: Tx): Connection {
  return { ...connection, read: (work) => work(tx), write: (work) => work(tx) };
}

async function withoutDeadlock<T>(transact: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transact();
    } catch (error) {
      if (sqlState(error) !== '40P01' || attempt === DEADLOCK_TRIES) {
        throw error;
      }
    }
  }
}

/** Runs database work; faults come out as InfraError `STORE_UNAVAILABLE` or `STORE_FAILED`. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AssayError) {
      throw error;
    }
    if (isAway(error)) {
      throw new InfraError('STORE_UNAVAILABLE', 'the database does not answer', { cause: error });
    }
    const state = sqlState(error);
    throw new InfraError(
      'STORE_FAILED',
      `the database refused a statement of ours${state === undefined ? '' : ` (${state})`}`,
      { cause: error },
    );
  }
}

/** Classes of SQLSTATE that mean the server, not the statement: connection, resources, operator, system. */
const AWAY_CLASSES = new Set(['08', '53', '57', '58']);
/** Lock not available in time; transaction ended for idling. */
const AWAY_STATES = new Set(['55P03', '25P03']);
const AWAY_MESSAGES = /connection (terminated|ended)|timeout|not queryable|client was closed|ECONN|EPIPE/i;

function isAway(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined && /^[0-9A-Z]{5}$/.test(state)) {
    return AWAY_CLASSES.has(state.slice(0, 2)) || AWAY_STATES.has(state);
  }
  if (error instanceof AggregateError) {
    return error.errors.every(isAway);
  }
  const code = state ?? '';
  return (
    AWAY_MESSAGES.test(`${code} ${error instanceof Error ? error.message : ''}`) || /^E[A-Z]+$/.test(code)
  );
}

function sqlState(error: unknown): string | undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}
