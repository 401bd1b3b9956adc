import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { AssayError } from '../../domain/errors.ts';
import type { Page, PageRequest } from '../page.ts';
import { idOf, isId } from './values.ts';

const MAX_LIMIT = 200;
/** A day in the year 2286: later times are not ours. */
const LATEST_MS = 10 ** 13;

/** Rows to show at most; ask the database for one more, which tells whether there is another page. */
export function pageSize(page: PageRequest): number {
  return Math.min(Math.max(1, page.limit), MAX_LIMIT);
}

/** Where the page before ended: the value it is sorted by, and the id. */
export interface Place {
  key: number;
  id: string;
}

/** The place that a cursor names, undefined on the first page. Throws AssayError `CURSOR_INVALID`. */
export function readCursor(page: PageRequest): Place | undefined {
  if (page.cursor === undefined) {
    return undefined;
  }
  const [key, id] = parse(page.cursor);
  if (typeof key !== 'number' || Math.abs(key) > LATEST_MS || typeof id !== 'string' || !isId(id)) {
    throw new AssayError('CURSOR_INVALID', 'candidate', 'the cursor is not one that a list has given', {
      mend: 'leave it out to begin at the first page',
    });
  }
  return { key, id };
}

function parse(cursor: string): unknown[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(values) ? values : [];
  } catch {
    return [];
  }
}

/** Cuts the extra row off and names the place where the next page begins. */
export function toPage<R, T>(
  rows: readonly R[],
  page: PageRequest,
  toItem: (row: R) => T,
  placeOf: (row: R) => Place,
): Page<T> {
  const shown = rows.slice(0, pageSize(page));
  const last = shown.at(-1);
  if (rows.length === shown.length || last === undefined) {
    return { items: shown.map(toItem), nextCursor: null };
  }
  const { key, id } = placeOf(last);
  const nextCursor = Buffer.from(JSON.stringify([key, id])).toString('base64url');
  return { items: shown.map(toItem), nextCursor };
}

/** Whether a row of `table` comes after the place in a list of newest first. Times are kept to the millisecond. */
export function isOlder(table: string, { key, id }: Place): RawBuilder<boolean> {
  const [createdAt, rowId] = [sql.ref(`${table}.createdAt`), sql.ref(`${table}.id`)];
  return sql<boolean>`(${createdAt}, ${rowId}) < (${new Date(key)}, ${idOf(id)}::uuid)`;
}

/** A page of rows that were read newest first. */
export function newestPage<R extends { createdAt: Date; id: string }>(
  rows: readonly R[],
  page: PageRequest,
): Page<R> {
  return toPage(
    rows,
    page,
    (row) => row,
    (row) => ({ key: row.createdAt.getTime(), id: row.id }),
  );
}
