export interface MixEntry {
  weight: number;
  fixedCount?: number | undefined;
}

/**
 * Which kind of user comes next, so that at any moment the kinds stand as close to their weights as whole users
 * can. Kinds with a fixed count come first. Returns an index into `entries`.
 */
export function nextKind(entries: readonly MixEntry[], counts: readonly number[]): number {
  const missing = entries.findIndex((entry, index) => (counts[index] ?? 0) < (entry.fixedCount ?? 0));
  if (missing !== -1) {
    return missing;
  }
  const weighted = entries.some((entry) => entry.fixedCount === undefined);
  let best = 0;
  let bestShare = Infinity;
  for (const [index, entry] of entries.entries()) {
    // When every kind is fixed, the users beyond the fixed counts follow the weights all the same.
    if (weighted && entry.fixedCount !== undefined) {
      continue;
    }
    const share = ((counts[index] ?? 0) + 1) / entry.weight;
    if (share < bestShare) {
      best = index;
      bestShare = share;
    }
  }
  return best;
}

/** Draws from weights: `pick(random)` answers an index for a number in [0, 1). */
export function weightedPick(weights: readonly number[]): (random: number) => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const table: number[] = [];
  let sum = 0;
  for (const weight of weights) {
    sum += weight;
    table.push(sum / total);
  }
  return (random) => {
    let index = 0;
    while (index < table.length - 1 && random >= (table[index] ?? 1)) {
      index += 1;
    }
    return index;
  };
}
