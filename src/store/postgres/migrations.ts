import { FIRST } from './migrations/0001-first.ts';
import { LONG_LISTS } from './migrations/0002-long-lists.ts';
import { KEPT_VERDICTS } from './migrations/0003-kept-verdicts.ts';
import { LINES_AND_COHORTS } from './migrations/0004-lines-and-cohorts.ts';

/** Statements of each schema version, from 1. Forward only: what was released is never edited, only followed. */
export const MIGRATIONS: readonly (readonly string[])[] = [
  FIRST,
  LONG_LISTS,
  KEPT_VERDICTS,
  LINES_AND_COHORTS,
];
