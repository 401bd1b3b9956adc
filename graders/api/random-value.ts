import type { RandomKind } from '../../src/domain/api-suite-template.ts';
import type { Prng } from '../shared/prng.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const SLUG_CHARACTERS = `${LETTERS}0123456789`;
const HEX = '0123456789abcdef';
const DEFAULT_SLUG_LENGTH = 10;
const DEFAULT_INT_MAX = 999_999_999;

const WORDS = wordList(`
  amber anchor apple arrow autumn basket beacon birch bridge canyon cedar cloud copper coral
  cotton crystal daisy delta desert ember falcon feather fern forest garden ginger glacier
  granite harbor hazel island ivory jasmine juniper lagoon lantern lemon lilac linen maple marble
  meadow mirror needle oasis olive orchid pebble pepper planet prairie quartz raven river saffron
  silver sparrow spruce summit thunder timber valley velvet violet walnut willow
`);

/** The value of `${random.<what>(parameters)}`. */
export function randomValue(what: RandomKind, parameters: readonly number[], prng: Prng): string | number {
  switch (what) {
    case 'slug':
      return (
        characters(LETTERS, 1, prng) +
        characters(SLUG_CHARACTERS, (parameters[0] ?? DEFAULT_SLUG_LENGTH) - 1, prng)
      );
    case 'int':
      return prng.int(parameters[0] ?? 0, parameters[1] ?? DEFAULT_INT_MAX);
    case 'word':
      return prng.pick(WORDS);
    case 'email':
      return `${prng.pick(WORDS)}.${characters(SLUG_CHARACTERS, 8, prng)}@example.com`;
    case 'uuid': {
      const hex = characters(HEX, 30, prng);
      const variant = characters('89ab', 1, prng);
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-${variant}${hex.slice(15, 18)}-${hex.slice(18)}`;
    }
  }
}

/** Bytes without a pattern, made from the seed. */
export function randomBlob(length: number, prng: Prng): Buffer {
  const blob = Buffer.alloc(length);
  for (let offset = 0; offset < length; offset += 1) {
    blob[offset] = Math.floor(prng.next() * 256);
  }
  return blob;
}

function characters(alphabet: string, count: number, prng: Prng): string {
  let text = '';
  for (let index = 0; index < count; index += 1) {
    text += alphabet.charAt(prng.int(0, alphabet.length - 1));
  }
  return text;
}

function wordList(text: string): readonly [string, ...string[]] {
  const [first = '', ...rest] = text.trim().split(/\s+/);
  return [first, ...rest];
}
