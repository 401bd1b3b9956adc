import { parseTemplate } from './api-suite-template.ts';
import type { LoadRequest, LoadTaskPlan } from './load-request.ts';
import type { LoadPhase } from './load-shape.ts';
import { chooseTasks } from './load-tags.ts';
import type { TagChoice } from './load-tags.ts';
import type { Threshold } from './load-threshold.ts';

type Path = readonly PropertyKey[];
type Report = (path: Path, message: string) => void;

interface UserParts {
  name: string;
  onStart: LoadRequest[];
  onStop: LoadRequest[];
  tasks: LoadTaskPlan[];
}

interface PlanParts extends TagChoice {
  shape: LoadPhase[][];
  users: UserParts[];
  thresholds: { id: string; threshold: Threshold }[];
  profiles: Record<
    string,
    {
      shape: LoadPhase[][];
      tags?: readonly string[] | undefined;
      excludeTags?: readonly string[] | undefined;
    }
  >;
}

/** A request and where it stands in the plan. */
interface Placed {
  request: LoadRequest;
  path: Path;
}

/** Every name is a row of the results, and those travel in one protocol line. */
const MAX_ROWS = 100;

/** What one part of a plan says about another: captures, task names in thresholds, names that must differ. */
export function checkPlanReferences(plan: PlanParts, report: Report): void {
  checkUserNames(plan, report);
  checkTaskNames(plan, report);
  checkRowCount(plan, report);
  checkChoice(plan, plan, [], report);
  checkThresholds(plan, report);
  checkObjectives(plan.shape, plan, ['shape'], report);
  for (const [name, profile] of Object.entries(plan.profiles)) {
    const choice = {
      tags: profile.tags ?? plan.tags,
      excludeTags: profile.excludeTags ?? plan.excludeTags,
    };
    if (profile.tags !== undefined || profile.excludeTags !== undefined) {
      checkChoice(plan, choice, ['profiles', name], report);
    }
    checkObjectives(profile.shape, { ...plan, ...choice }, ['profiles', name, 'shape'], report);
  }
  for (const [index, user] of plan.users.entries()) {
    const requests = requestsOf(user, ['users', index]);
    const captured = new Set(requests.flatMap(({ request }) => Object.keys(request.capture)));
    for (const { request, path } of requests) {
      checkTemplates(request, captured, (at, message) => report([...path, ...at], message));
    }
  }
}

function requestsOf({ onStart, tasks, onStop }: UserParts, path: Path): Placed[] {
  function placed(requests: readonly LoadRequest[], ...under: Path): Placed[] {
    return requests.map((request, at) => ({ request, path: [...path, ...under, at] }));
  }
  return [
    ...placed(onStart, 'onStart'),
    ...tasks.flatMap(({ isSequence, steps }, at) =>
      isSequence
        ? placed(steps, 'tasks', at, 'sequence')
        : steps.map((request) => ({ request, path: [...path, 'tasks', at] })),
    ),
    ...placed(onStop, 'onStop'),
  ];
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
    const tasks = requestsOf({ ...user, onStart: [], onStop: [] }, ['users', index]);
    for (const { request, path } of tasks) {
      const owner = owners.get(request.name);
      if (owner !== undefined) {
        report([...path, 'name'], `"${owner}" has a task of this name; task names are unique`);
      }
      owners.set(request.name, user.name);
    }
  }
}

function checkRowCount(plan: PlanParts, report: Report): void {
  const rows = new Set(plan.users.flatMap((user) => requestsOf(user, []).map(({ request }) => request.name)));
  if (rows.size > MAX_ROWS) {
    report(['users'], `expected at most ${MAX_ROWS} different request names, found ${rows.size}`);
  }
}

/** Tags name tasks, leave some, and leave those whose captures others need. */
function checkChoice({ users }: PlanParts, choice: TagChoice, path: Path, report: Report): void {
  const known = [...new Set(users.flatMap((user) => user.tasks.flatMap(({ tags }) => tags)))];
  for (const key of ['tags', 'excludeTags'] as const) {
    for (const tag of choice[key]) {
      if (!known.includes(tag)) {
        const others = known.length === 0 ? 'no task has one' : `tags are ${known.join(', ')}`;
        report([...path, key], `no task has the tag "${tag}"; ${others}`);
      }
    }
  }
  const key = choice.tags.length > 0 ? 'tags' : 'excludeTags';
  const chosen = chooseTasks<LoadTaskPlan, UserParts>(users, choice);
  if (chosen.length === 0) {
    report([...path, key], 'no task is left');
  }
  for (const user of chosen) {
    const all = users.find(({ name }) => name === user.name) ?? user;
    const left = new Set(requestsOf(user, []).flatMap(({ request }) => Object.keys(request.capture)));
    const lost = requestsOf(all, [])
      .flatMap(({ request }) => Object.keys(request.capture))
      .filter((name) => !left.has(name));
    for (const name of new Set(lost)) {
      const reader = requestsOf(user, []).find(({ request }) => reads(request, name));
      if (reader) {
        const message = `"${reader.request.name}" needs "${name}", which only tasks capture that are left out`;
        report([...path, key], message);
      }
    }
  }
}

function reads(request: LoadRequest, name: string): boolean {
  let found = false;
  checkTemplates(request, { has: (wanted) => (found ||= wanted === name) || true }, () => undefined);
  return found;
}

function checkThresholds(plan: PlanParts, report: Report): void {
  const ids = new Set<string>();
  for (const [index, { id, threshold }] of plan.thresholds.entries()) {
    checkTask(threshold, plan, (message) => report(['thresholds', index, 'that'], message));
    if (ids.has(id)) {
      report(['thresholds', index, 'that'], `another threshold has the same id "${id}"; give one an "id"`);
    }
    ids.add(id);
  }
  checkMeasured(plan, report);
}

function checkObjectives(
  shape: readonly LoadPhase[][],
  plan: Pick<PlanParts, 'users' | keyof TagChoice>,
  path: Path,
  report: Report,
): void {
  for (const [index, phases] of shape.entries()) {
    const clauses = phases.flatMap((phase) => (phase.kind === 'knee' ? phase.objective.clauses : []));
    for (const clause of clauses) {
      checkTask(clause, plan, (message) => report([...path, index, 'findKnee', 'objective'], message));
    }
  }
}

/** Of requests at the stop of a user nothing is counted. */
function checkTask(
  { task }: Threshold,
  { users, ...choice }: Pick<PlanParts, 'users' | keyof TagChoice>,
  report: (message: string) => void,
): void {
  function namesOf(among: readonly UserParts[]): string[] {
    const counted = among.map((user) => ({ ...user, onStop: [] }));
    return counted.flatMap((user) =>
      [...user.tasks.flatMap(({ steps }) => steps), ...user.onStart].map(({ name }) => name),
    );
  }
  const names = namesOf(chooseTasks<LoadTaskPlan, UserParts>(users, choice));
  if (task === undefined || names.includes(task)) {
    return;
  }
  const sequence = users
    .flatMap((user) => user.tasks)
    .find(({ name, isSequence }) => isSequence && name === task);
  if (sequence) {
    report(
      `"${task}" is a sequence; name one of its requests: ${sequence.steps.map(({ name }) => name).join(', ')}`,
    );
  } else if (namesOf(users).includes(task)) {
    report(`the task "${task}" is left out by tags`);
  } else {
    report(`no task is named "${task}"; tasks are ${[...new Set(names)].join(', ')}`);
  }
}

/** Every threshold needs a phase that it can be measured in. A profile may leave the knee out: it is skipped there. */
function checkMeasured({ shape, thresholds }: PlanParts, report: Report): void {
  const phases = shape.flat();
  const index = thresholds.findIndex(({ threshold }) => threshold.metric === 'knee');
  if (index !== -1 && !phases.some((phase) => phase.kind === 'knee')) {
    report(
      ['thresholds', index, 'that'],
      'nothing looks for the knee; add a phase { findKnee: … } to the shape',
    );
  }
  const other = thresholds.findIndex(({ threshold }) => threshold.metric !== 'knee');
  if (other !== -1 && !phases.some((phase) => phase.kind === 'closed' || phase.kind === 'open')) {
    const message = 'the requests of findKnee are not counted; add a phase with users or an arrival rate';
    report(['thresholds', other, 'that'], message);
  }
}

function checkTemplates(
  request: LoadRequest,
  captured: Pick<ReadonlySet<string>, 'has'>,
  report: Report,
): void {
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

function checkTexts(
  value: unknown,
  path: Path,
  captured: Pick<ReadonlySet<string>, 'has'>,
  report: Report,
): void {
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

function templateProblems(
  text: string,
  expected: boolean,
  captured: Pick<ReadonlySet<string>, 'has'>,
): string[] {
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
