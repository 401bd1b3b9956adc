import { z } from 'zod';

const DURATION_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};
const QUANTITY = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/;

/** Reads "250ms", "5s", "2m", "1.5h" or "3d". Returns milliseconds, or undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, DURATION_MS);
}

/** Reads "64MiB", "10MB", "512B". Returns bytes, or undefined when it is not a size. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, SIZE_BYTES);
}

/** Reads "200/s" or "30/m". Returns events per second, or undefined when it is not a rate. */
export function parseRate(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*\/\s*([smh])$/.exec(text.trim());
  const perMs = match?.[2] ? DURATION_MS[match[2]] : undefined;
  return match?.[1] !== undefined && perMs !== undefined ? (Number(match[1]) * 1000) / perMs : undefined;
}

/** Reads "1%" or "0.5 %". Returns a fraction (0.01), or undefined when it is not a percentage. */
export function parsePercentage(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  return match?.[1] === undefined ? undefined : Number(match[1]) / 100;
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = QUANTITY.exec(text.trim());
  const factor = match?.[2] === undefined ? undefined : units[match[2]];
  return match?.[1] === undefined || factor === undefined ? undefined : Number(match[1]) * factor;
}

function quantitySchema(parse: (text: string) => number | undefined, expected: string) {
  return z.string().transform((text, ctx) => {
    const value = parse(text);
    if (value === undefined) {
      ctx.addIssue({ code: 'custom', message: `expected ${expected}, got "${text}"` });
      return z.NEVER;
    }
    return value;
  });
}

/** A duration with its unit, parsed to milliseconds. */
export const DurationMs = quantitySchema(parseDuration, 'a duration with a unit, such as "30s" or "250ms"');
/** A size with its unit, parsed to bytes. */
export const SizeBytes = quantitySchema(parseSize, 'a size with a unit, such as "512MiB"');
/** A rate with its unit, parsed to events per second. */
export const RatePerSecond = quantitySchema(parseRate, 'a rate with a unit, such as "200/s"');

/** Renders bytes for people: 536870912 becomes "512 MiB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(value < 10 && unit > 0 ? 1 : 0))} ${units[unit]}`;
}

/** Renders a duration for people: 1532 becomes "1.5 s", 90000 becomes "1 min 30 s". */
export function formatMs(ms: number): string {
  if (ms < 1000) {
    return `${Number(ms.toFixed(ms < 10 ? 1 : 0))} ms`;
  }
  if (ms < 60_000) {
    return `${Number((ms / 1000).toFixed(1))} s`;
  }
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.round((ms % 60_000) / 1000);
  return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`;
}
