import type { ContractOperation } from './contract-plan.ts';

/** Names of the parameters of a path template, in order: "/a/{b}/{c}" has b and c. */
export function pathParameters(template: string): string[] {
  return [...template.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1] ?? '');
}

/**
 * The operation that makes what a path stands for: `POST /links` for `/links/{code}`, or one whose links lead there.
 * Undefined when the document tells of none.
 */
export function makerOf(
  template: string,
  operations: readonly ContractOperation[],
): ContractOperation | undefined {
  if (pathParameters(template).length === 0) {
    return undefined;
  }
  const makers = operations.filter(({ method, responses }) => method === 'POST' && '201' in responses);
  return makers.find((maker) => linksTo(maker, template, operations) || isParent(maker.path, template));
}

/** "/links" is the parent of "/links/{code}", and "/a/{b}/c" of "/a/{b}/c/{d}". */
function isParent(path: string, template: string): boolean {
  const rest = template.startsWith(`${path}/`) ? template.slice(path.length + 1) : '';
  return /^\{[^{}]+\}$/.test(rest);
}

function linksTo(
  maker: ContractOperation,
  template: string,
  operations: readonly ContractOperation[],
): boolean {
  const targets = maker.responses['201']?.links.map((link) => link.operation) ?? [];
  return operations.some(({ id, path }) => path === template && targets.includes(id));
}

/** The GET of the same path. */
export function readerOf(
  template: string,
  operations: readonly ContractOperation[],
): ContractOperation | undefined {
  return operations.find(({ method, path }) => method === 'GET' && path === template);
}

/** The GET that shows what an operation has made. */
export function readerOfMade(
  maker: ContractOperation,
  operations: readonly ContractOperation[],
): ContractOperation | undefined {
  return operations.find(
    ({ method, path }) => method === 'GET' && makerOf(path, operations)?.id === maker.id,
  );
}
