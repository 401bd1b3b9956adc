import { formatBytes } from '../domain/units.ts';

/** A figure with its unit for people: 412.3 "ms" becomes "412 ms", 0.0321 "ratio" "3.21 %". Three digits or so. */
export function formatFigure(value: number, unit: string): string {
  switch (unit) {
    case 'ratio':
    case '%':
      return `${shortNumber(unit === '%' ? value : value * 100)} %`;
    case 'bytes':
      return formatBytes(value);
    case '/s':
      return `${shortNumber(value)}/s`;
    case 'count':
    case '':
      return shortNumber(value);
    default:
      return `${shortNumber(value)} ${unit}`;
  }
}

/** About three significant digits, thousands set apart: 0.0321, 4.56, 78.9, 412, 12,345. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) {
    return groupThousands(Math.round(value));
  }
  return String(Number(value.toPrecision(3)));
}

/** 1234567 becomes "1,234,567", whatever the locale of the machine. */
export function groupThousands(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "1 check", "3 checks". */
export function counted(count: number, noun: string): string {
  return `${groupThousands(count)} ${noun}${count === 1 ? '' : 's'}`;
}
