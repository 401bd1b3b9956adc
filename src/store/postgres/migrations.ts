import { FIRST } from './migrations/0001-first.ts';
import { LONG_LISTS } from './migrations/0002-long-lists.ts';

/** Statements of each schema version, from 1. Forward only: what was released is never edited, only followed. */
export const MIGRATIONS: readonly (readonly string[])[] = [FIRST, LONG_LISTS];
