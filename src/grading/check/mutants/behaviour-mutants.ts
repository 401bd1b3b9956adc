import type { Change } from '../../../domain/mutation.ts';
import { makeMutant } from './mutant.ts';
import type { Mutant } from './mutant.ts';
import type { OpenApiFacts } from './openapi-facts.ts';
import type { Operation } from './operations.ts';

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** RFC 9110: asking again changes nothing more. */
const IDEMPOTENT = new Set(['PUT', 'DELETE']);
/** Request headers on which an answer depends. */
const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'idempotency-key', 'prefer', 'range'];

/**
 * Faults in what the service does: all exchanges of one method and path, whatever their status. `boundsMs` is the
 * longest time limit that a suite sets for it, undefined when none does. Pure.
 */
export function behaviourMutants(
  operations: readonly Operation[],
  facts: OpenApiFacts | undefined,
  boundsMs: number | undefined,
): Mutant[] {
  const [first] = operations;
  if (!first) {
    return [];
  }
  const { method, path } = first;
  const checks = [...new Set(operations.flatMap((operation) => operation.checks))];
  function mutant(change: Change, reason?: string): Mutant {
    return makeMutant({ method, path }, change, checks, reason);
  }
  const works = operations.filter((operation) => operation.status < 400);
  return [
    ...(works.length > 0 ? stateChanges(method, works) : []).map(({ change, reason }) =>
      mutant(change, reason),
    ),
    ...ignoredParts(operations, facts).map((change) => mutant(change)),
    boundsMs === undefined
      ? mutant(
          { operator: 'delay', ms: 1000 },
          'No suite limits the time of this operation; speed is the load stage’s matter.',
        )
      : mutant({ operator: 'delay', ms: Math.round(boundsMs * 1.25) + 250 }),
  ];
}

function stateChanges(method: string, works: readonly Operation[]): { change: Change; reason?: string }[] {
  if (method === 'GET') {
    const bodies = new Set(works.flatMap(({ seen }) => seen.map(({ body, status }) => `${status} ${body}`)));
    const constant =
      bodies.size === 1 && works.every(({ seen }) => seen.every(({ url }) => url === works[0]?.seen[0]?.url));
    const reason = 'It answers the same every time, so an old answer is as good.';
    return [{ change: { operator: 'stale-read' }, ...(constant ? { reason } : {}) }];
  }
  if (!WRITES.has(method)) {
    return [];
  }
  const overlapped = works.some(({ seen }) => seen.some((exchange) => exchange.overlapped));
  const again = `${method} is idempotent: asking twice is as good as asking once.`;
  return [
    { change: { operator: 'swallow-write' } },
    { change: { operator: 'duplicate' }, ...(IDEMPOTENT.has(method) ? { reason: again } : {}) },
    ...(overlapped && method !== 'DELETE'
      ? [{ change: { operator: 'lose-concurrent-write' } as const }]
      : []),
  ];
}

/** Parts of requests that the contract names and the suites send. */
function ignoredParts(operations: readonly Operation[], facts: OpenApiFacts | undefined): Change[] {
  const [first] = operations;
  if (!first) {
    return [];
  }
  const seen = operations.flatMap((operation) => operation.seen);
  const members = facts?.members(first);
  const sentMembers = new Set(seen.flatMap(({ requestBody }) => membersOf(requestBody)));
  const query = facts?.parameters(first, 'query');
  const sentQuery = new Set(
    seen.flatMap(({ url }) => [...new URLSearchParams(url.split('?')[1] ?? '').keys()]),
  );
  const headers = [
    ...CONDITIONS,
    ...(facts?.parameters(first, 'header') ?? []).map((name) => name.toLowerCase()),
  ];
  const sentHeaders = new Set(
    seen.flatMap(({ requestHeaders }) => requestHeaders.map(([name]) => name.toLowerCase())),
  );
  return [
    ...[...sentMembers]
      .filter((name) => members?.includes(name) ?? facts === undefined)
      .map((name): Change => ({ operator: 'ignore-member', name })),
    ...[...sentQuery]
      .filter((name) => query?.includes(name) ?? facts === undefined)
      .map((name): Change => ({ operator: 'ignore-query', name })),
    ...[...new Set(headers)]
      .filter((name) => sentHeaders.has(name))
      .map((name): Change => ({ operator: 'ignore-header', name })),
  ];
}

function membersOf(body: string): string[] {
  try {
    const json = JSON.parse(body) as unknown;
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? Object.keys(json) : [];
  } catch {
    return [];
  }
}
