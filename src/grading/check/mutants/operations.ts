import type { SeenCheck, SeenExchange } from '../../../domain/mutation.ts';
import { segmentsOf, templateOf } from '../../../domain/path-template.ts';

/** One kind of exchange: method, path and status, with examples and the checks that came across it. */
export interface Operation {
  method: string;
  path: string;
  status: number;
  seen: SeenExchange[];
  /** Ids of the checks, the quickest first. */
  checks: string[];
}

/** Groups what passing checks exchanged. A check that fails without a change cannot notice one. */
export function operationsOf(checks: readonly SeenCheck[], templates: readonly string[]): Operation[] {
  const operations = new Map<string, Operation>();
  const passed = checks.filter((check) => check.passed);
  for (const check of passed.toSorted((a, b) => a.durationMs - b.durationMs)) {
    for (const exchange of check.exchanges) {
      const { method, status } = exchange;
      const path = templateOf(exchange.url, templates);
      const key = `${method} ${path} ${status}`;
      const operation = operations.get(key) ?? { method, path, status, seen: [], checks: [] };
      operation.seen.push(exchange);
      if (operation.checks.at(-1) !== check.id) {
        operation.checks.push(check.id);
      }
      operations.set(key, operation);
    }
  }
  return [...operations.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function keyOf({ path, method, status }: Operation): string {
  return `${path} ${method} ${status}`;
}

/** So many different values in one place, and it is a variable. */
const MANY = 3;

/** Templates for paths that no document describes: a segment that takes many values is a variable. */
export function clusterPaths(checks: readonly SeenCheck[]): string[] {
  const paths = new Set(
    checks.flatMap((check) =>
      check.exchanges
        // Paths that lead nowhere say nothing about the service's own.
        .filter((exchange) => exchange.status !== 404)
        .map((exchange) => segmentsOf(exchange.url).join('/')),
    ),
  );
  return [...cluster([...paths].map((path) => path.split('/')))]
    .map((segments) => `/${segments.join('/')}`)
    .toSorted();
}

function cluster(paths: readonly (readonly string[])[]): string[][] {
  const ended = paths.some((path) => path.length === 0) ? [[]] : [];
  const longer = paths.filter((path) => path.length > 0);
  const heads = [...new Set(longer.map(([head]) => head ?? ''))];
  const variable = heads.filter((head) => looksGenerated(head));
  const names = heads.filter((head) => !variable.includes(head));
  const many = variable.length > 0 || names.length > MANY * 4;
  const groups = many ? [...(names.length > MANY * 4 ? [] : names), '{}'] : heads;
  return [
    ...ended,
    ...groups.flatMap((head) => {
      const inside = longer.filter(([own]) =>
        head === '{}' ? names.length > MANY * 4 || variable.includes(own ?? '') : own === head,
      );
      return cluster(inside.map((path) => path.slice(1))).map((rest) => [head, ...rest]);
    }),
  ];
}

/** Digits, or long without being a word. */
function looksGenerated(segment: string): boolean {
  return /\d/.test(segment) || segment.length > 24;
}
