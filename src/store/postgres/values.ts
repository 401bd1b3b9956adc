import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';

const ID = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,18})$/i;
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** True for what may be the id of a row: a UUID or a running number. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** An id from outside: what is no UUID becomes one that nothing has, so that it is looked for and not found. */
export function idOf(text: string): string {
  return ID.test(text) && text.includes('-') ? text : NOBODY;
}

/** The database's clock now, not when the transaction began. */
export function clock(): RawBuilder<Date> {
  return sql<Date>`clock_timestamp()`;
}

/** The database's clock in `ms` milliseconds. */
export function clockIn(ms: number): RawBuilder<Date> {
  return sql<Date>`clock_timestamp() + ${ms} * interval '1 millisecond'`;
}
