import { parseTemplate } from './api-suite-template.ts';
import type { LoadRequest } from './load-request.ts';
import type { LoadPhase } from './load-shape.ts';
import type { Threshold } from './load-threshold.ts';

type Path = readonly PropertyKey[];
type Report = (path: Path, message: string) => void;

interface PlanParts {
  shape: LoadPhase[];
  users: { name: string; onStart: LoadRequest[]; onStop: LoadRequest[]; tasks: LoadRequest[] }[];
  thresholds: { id: string; threshold: Threshold }[];
}

/** Every name is a row of the results, and those travel in one protocol line. */
const MAX_ROWS = 100;
const GROUPS = ['onStart', 'tasks', 'onStop'] as const;

/** What one part of a plan says about another: captures, task names in thresholds, names that must differ. */
export function checkPlanReferences(plan: PlanParts, report: Report): void {
  checkUserNames(plan, report);
  checkTaskNames(plan, report);
  checkRowCount(plan, report);
  checkThresholds(plan, report);
  for (const [index, user] of plan.users.entries()) {
    const requests = GROUPS.flatMap((group) => user[group]);
    const captured = new Set(requests.flatMap((request) => Object.keys(request.capture)));
    for (const group of GROUPS) {
      for (const [at, request] of user[group].entries()) {
        checkTemplates(request, captured, (path, message) =>
          report(['users', index, group, at, ...path], message),
        );
      }
    }
  }
}

function checkUserNames(plan: PlanParts, report: Report): void {
  const seen = new Set<string>();
  for (const [index, user] of plan.users.entries()) {
    if (seen.has(user.name)) {
      report(['users', index, 'name'], `another user is named "${user.name}"`);
    }
    seen.add(user.name);
  }
}

/** Two tasks of one name would share a row of the results and no threshold could tell them apart. */
function checkTaskNames(plan: PlanParts, report: Report): void {
  const owners = new Map<string, string>();
  for (const [index, user] of plan.users.entries()) {
    for (const [at, task] of user.tasks.entries()) {
      const owner = owners.get(task.name);
      if (owner !== undefined) {
        report(
          ['users', index, 'tasks', at, 'name'],
          `"${owner}" has a task of this name; task names are unique`,
        );
      }
      owners.set(task.name, user.name);
    }
  }
}

function checkRowCount(plan: PlanParts, report: Report): void {
  const rows = new Set(
    plan.users.flatMap((user) => GROUPS.flatMap((group) => user[group].map(({ name }) => name))),
  );
  if (rows.size > MAX_ROWS) {
    report(['users'], `expected at most ${MAX_ROWS} different request names, found ${rows.size}`);
  }
}

function checkThresholds(plan: PlanParts, report: Report): void {
  const names = plan.users.flatMap((user) => [...user.tasks, ...user.onStart].map((request) => request.name));
  function checkTask({ task }: Threshold, path: Path): void {
    if (task !== undefined && !names.includes(task)) {
      report(path, `no task is named "${task}"; tasks are ${[...new Set(names)].join(', ')}`);
    }
  }
  const ids = new Set<string>();
  for (const [index, { id, threshold }] of plan.thresholds.entries()) {
    checkTask(threshold, ['thresholds', index, 'that']);
    if (ids.has(id)) {
      report(['thresholds', index, 'that'], `another threshold has the same id "${id}"; give one an "id"`);
    }
    ids.add(id);
  }
  for (const [index, phase] of plan.shape.entries()) {
    const clauses = phase.kind === 'knee' ? phase.objective.clauses : [];
    for (const clause of clauses) {
      checkTask(clause, ['shape', index, 'findKnee', 'objective']);
    }
  }
  checkMeasured(plan, report);
}

/** Every threshold needs a phase that it can be measured in. A profile may leave the knee out: it is skipped there. */
function checkMeasured({ shape, thresholds }: PlanParts, report: Report): void {
  const index = thresholds.findIndex(({ threshold }) => threshold.metric === 'knee');
  if (index !== -1 && !shape.some((phase) => phase.kind === 'knee')) {
    report(
      ['thresholds', index, 'that'],
      'nothing looks for the knee; add a phase { findKnee: … } to the shape',
    );
  }
  const other = thresholds.findIndex(({ threshold }) => threshold.metric !== 'knee');
  if (other !== -1 && !shape.some((phase) => phase.kind === 'closed' || phase.kind === 'open')) {
    const message = 'the requests of findKnee are not counted; add a phase with users or an arrival rate';
    report(['thresholds', other, 'that'], message);
  }
}

function checkTemplates(request: LoadRequest, captured: ReadonlySet<string>, report: Report): void {
  const { path, query, headers, body, expect } = request;
  checkTexts(path, ['request'], captured, report);
  checkTexts(query, ['query'], captured, report);
  checkTexts(headers, ['headers'], captured, report);
  checkTexts(expect.json, ['expect', 'json'], captured, report);
  checkTexts(expect.headers, ['expect', 'headers'], captured, report);
  if (body?.kind === 'json') {
    checkTexts(body.value, ['json'], captured, report);
  } else if (body) {
    checkTexts(body.kind === 'form' ? body.fields : body.text, [body.kind], captured, report);
  }
}

function checkTexts(value: unknown, path: Path, captured: ReadonlySet<string>, report: Report): void {
  if (typeof value === 'string') {
    for (const problem of templateProblems(value, path[0] === 'expect', captured)) {
      report(path, problem);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      checkTexts(item, [...path, Array.isArray(value) ? Number(key) : key], captured, report);
    }
  }
}

function templateProblems(text: string, expected: boolean, captured: ReadonlySet<string>): string[] {
  return parseTemplate(text).flatMap((part) => {
    if (part.kind === 'text') {
      return [];
    }
    if (part.expression?.kind === 'random') {
      return expected ? [`"\${${part.raw}}" would be a new value here, not the one that was sent`] : [];
    }
    if (!part.expression || part.expression.path.length > 0) {
      return [
        `"\${${part.raw}}" is not a template; use \${<captured name>} or \${random.slug|int|word|email|uuid}`,
      ];
    }
    return captured.has(part.expression.name)
      ? []
      : [
          `nothing captures "${part.expression.name}" for this user; add "capture" to a request of its onStart`,
        ];
  });
}
