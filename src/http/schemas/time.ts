/** A moment as it is written in answers. */
export function iso(moment: Date): string {
  return moment.toISOString();
}

/** The same for one that may not have come yet. */
export function isoOrNull(moment: Date | null): string | null {
  return moment === null ? null : moment.toISOString();
}
