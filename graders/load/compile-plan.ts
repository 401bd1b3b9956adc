import { requestNames } from '../../src/domain/load-plan.ts';
import type { LoadPlan, LoadUser, WaitTime } from '../../src/domain/load-plan.ts';
import type { LoadRequest } from '../../src/domain/load-request.ts';
import type { HeaderSet } from '../shared/default-headers.ts';
import type { ExchangeRules, Target } from './http-connection.ts';
import { compileRequest } from './request-template.ts';
import type { RenderRequest } from './request-template.ts';
import { compileCheck, keptBodyBytes } from './response-check.ts';
import type { CheckResponse } from './response-check.ts';
import { weightedPick } from './user-mix.ts';

/** A request of the plan with everything decided that can be before the test. */
export interface CompiledRequest extends ExchangeRules {
  name: string;
  /** Its row in the results. */
  row: number;
  render: RenderRequest;
  check: CheckResponse;
  timeoutMs: number;
}

/** A task: requests one after another, most often one. */
export interface CompiledTask {
  steps: [CompiledRequest, ...CompiledRequest[]];
}

/** One kind of user. */
export interface UserKind {
  index: number;
  name: string;
  weight: number;
  fixedCount: number | undefined;
  waitTime: WaitTime;
  onStart: CompiledRequest[];
  onStop: CompiledRequest[];
  tasks: [CompiledTask, ...CompiledTask[]];
  /** An index into `tasks` for a number in [0, 1). */
  pickTask: (random: number) => number;
}

export interface CompiledPlan {
  kinds: UserKind[];
  /** Names of the rows: tasks first, then requests of onStart and onStop. */
  rowNames: string[];
  /** Steps of the longest task. */
  mostSteps: number;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

/** Prepares every request of a plan for `target`. Requests of one name share a row; all send the same `headers`. */
export function compilePlan(plan: LoadPlan, target: Target, headers: HeaderSet): CompiledPlan {
  const rowNames = requestNames(plan.users);
  function compile(request: LoadRequest): CompiledRequest {
    return {
      name: request.name,
      row: rowNames.indexOf(request.name),
      render: compileRequest(request, target, headers),
      check: compileCheck(request),
      isHead: request.method === 'HEAD',
      idempotent: IDEMPOTENT.has(request.method),
      keepBytes: keptBodyBytes(request),
      timeoutMs: request.timeoutMs ?? plan.timeoutMs,
    };
  }
  const kinds = plan.users.map((user, index) => compileKind(user, index, compile));
  const mostSteps = Math.max(...kinds.flatMap(({ tasks }) => tasks.map(({ steps }) => steps.length)));
  return { kinds, rowNames, mostSteps };
}

function compileKind(
  user: LoadUser,
  index: number,
  compile: (request: LoadRequest) => CompiledRequest,
): UserKind {
  const [first, ...others] = user.tasks.map(
    ({ steps }): CompiledTask => ({ steps: nonEmpty(steps.map(compile)) }),
  );
  if (!first) {
    throw new Error(`user "${user.name}" has no task; the host should have refused the plan`);
  }
  return {
    index,
    name: user.name,
    weight: user.weight,
    fixedCount: user.fixedCount,
    waitTime: user.waitTime,
    onStart: user.onStart.map(compile),
    onStop: user.onStop.map(compile),
    tasks: [first, ...others],
    pickTask: weightedPick(user.tasks.map((task) => task.weight)),
  };
}

function nonEmpty<T>(items: readonly T[]): [T, ...T[]] {
  const [first, ...others] = items;
  if (first === undefined) {
    throw new Error('a task has no request; the host should have refused the plan');
  }
  return [first, ...others];
}
