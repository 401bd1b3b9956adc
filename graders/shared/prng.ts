import { createHash } from 'node:crypto';

/** A seeded source of random numbers. Equal seeds give equal sequences. */
export interface Prng {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [min, max], both included. */
  int(min: number, max: number): number;
  /** One of a non-empty list. */
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** Makes a generator from any text (sfc32 seeded by SHA-256). Not for secrets. */
export function makePrng(seed: string): Prng {
  const digest = createHash('sha256').update(seed).digest();
  let a = digest.readUInt32LE(0);
  let b = digest.readUInt32LE(4);
  let c = digest.readUInt32LE(8);
  let counter = digest.readUInt32LE(12);
  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }
  function int(min: number, max: number): number {
    return min + Math.floor(next() * (max - min + 1));
  }
  function pick<T>(items: readonly [T, ...T[]]): T {
    return items[int(0, items.length - 1)] ?? items[0];
  }
  return { next, int, pick };
}
