import type { JsonValue } from '../domain/json-value.ts';
import type { LoadPlan, LoadUser, WaitTime } from '../domain/load-plan.ts';
import type { LoadRequest, LoadTaskPlan } from '../domain/load-request.ts';
import { phaseLabel } from '../domain/load-shape.ts';
import type { LoadPhase } from '../domain/load-shape.ts';
import { LOCUSTFILE_PRELUDE } from './locustfile-prelude.ts';

/**
 * A locustfile that makes the load of a plan: same users, tasks, sequences, tags, waits, checks, captures and phases,
 * so that it can be repeated with Locust alone. What Locust cannot do is approximated, and the file says how.
 */
export function exportLocustfile(title: string, plan: LoadPlan): string {
  const names = classNames(plan.users);
  return [
    headerOf(title, plan),
    LOCUSTFILE_PRELUDE,
    `${phasesOf(plan)}\n`,
    ...plan.users.map((user, index) => userClass(user, names[index] ?? 'User', plan)),
  ].join('\n\n');
}

function headerOf(title: string, plan: LoadPlan): string {
  const open = plan.shape.some((phase) => 'fromPerSecond' in phase);
  const lines = [
    `The load test of "${oneLine(title)}" for Locust (https://locust.io), made by "assay load export".`,
    '',
    '  locust -f locustfile.py --headless --host http://localhost:8080',
    '',
    'The challenge asks for:',
    ...plan.thresholds.map(({ that }) => `  ${that}`),
    '',
    'How it differs from the load of a grading:',
    ...(open
      ? [
          '- Locust has no arrival rates. In such a phase so many users are kept that each begins one task a second, or',
          '  more often where the plan allows fewer users. While answers take longer than that the rate falls short, and',
          '  what users would have waited meanwhile is not in the figures: those of a grading are then worse.',
        ]
      : []),
    ...(plan.shape.some((phase) => phase.kind === 'warm-up')
      ? ['- Locust counts the warm-up as well, and the requests at the stop of a user.']
      : []),
    '- Times are rounded to whole milliseconds. Random values are drawn anew in every run.',
  ];
  return lines.map((line) => `# ${line}`.trimEnd()).join('\n');
}

function phasesOf({ shape, maxUsers }: LoadPlan): string {
  const phases = shape.map((phase) => `    ${python(toPhase(phase, maxUsers))},  # ${phaseLabel(phase)}`);
  return ['PHASES = [', ...phases, ']'].join('\n');
}

function toPhase(phase: LoadPhase, maxUsers: number): Record<string, JsonValue> {
  const seconds = phase.durationMs / 1000;
  // Locust looks for no knee: it gets the same range of rates as a ramp.
  if ('fromPerSecond' in phase) {
    const highest = Math.max(phase.fromPerSecond, phase.toPerSecond);
    const users = Math.max(1, Math.min(maxUsers, Math.ceil(highest)));
    return { seconds, users, spawn_rate: users, rate: [phase.fromPerSecond, phase.toPerSecond] };
  }
  if (phase.fromUsers !== undefined) {
    const users = [phase.fromUsers, phase.users];
    return { seconds, users: phase.users, spawn_rate: Math.max(...users), ramp: users };
  }
  return { seconds, users: phase.users, spawn_rate: phase.spawnPerSecond ?? phase.users };
}

function userClass(user: LoadUser, name: string, plan: LoadPlan): string {
  const timeoutMs = Math.max(
    ...[...user.onStart, ...user.tasks.flatMap(({ steps }) => steps), ...user.onStop].map(
      ({ timeoutMs: own }) => own ?? plan.timeoutMs,
    ),
  );
  const methods = methodNames(user.tasks);
  return [
    `class ${name}(PlanUser):`,
    ...(user.fixedCount === undefined
      ? [`    weight = ${user.weight}`]
      : [`    fixed_count = ${user.fixedCount}`]),
    `    think_time = ${waitOf(user.waitTime)}`,
    `    network_timeout = connection_timeout = ${timeoutMs / 1000}`,
    ...script('first_requests', user.onStart),
    ...script('last_requests', user.onStop),
    ...user.tasks.flatMap((task, index) => taskLines(task, methods[index] ?? 'do_task')),
    '',
  ].join('\n');
}

/** A method; of a sequence a class with a method for each step. */
function taskLines({ weight, tags, isSequence, steps }: LoadTaskPlan, name: string): string[] {
  const head = [
    '',
    ...(tags.length > 0 ? [`    @tag(${tags.map((tag) => python(tag)).join(', ')})`] : []),
    `    @task(${weight})`,
  ];
  if (!isSequence) {
    const calls = steps.map((step) => `        self.perform(${callArguments(step)})`);
    return [...head, `    def ${name}(self):`, ...calls];
  }
  const methods = methodNames(steps);
  const lines = steps.flatMap((step, index) => [
    ...(index === 0 ? [] : ['']),
    '        @task',
    `        def ${methods[index]}(self):`,
    `            self.step(${[callArguments(step), ...(index === steps.length - 1 ? ['last=True'] : [])].join(', ')})`,
  ]);
  return [...head, `    class ${name}(PlanSequence):`, ...lines];
}

/** Requests of which the first wrong one ends the list. */
function script(method: string, requests: readonly LoadRequest[]): string[] {
  if (requests.length === 0) {
    return [];
  }
  const calls = requests.map((request, index) => {
    const and = index === 0 ? '' : 'and ';
    return `            ${and}self.send(${callArguments(request)})`;
  });
  return ['', `    def ${method}(self):`, '        return (', ...calls, '        )'];
}

function callArguments(request: LoadRequest): string {
  const { name, method, path, query, headers, body, expect, capture } = request;
  const expected: Record<string, JsonValue> = {
    ...(Object.keys(expect.headers).length > 0 ? { headers: expect.headers } : {}),
    ...(expect.json === undefined ? {} : { json: expect.json }),
  };
  const sources = Object.entries(capture).map(([key, source]): [string, JsonValue] => [
    key,
    source.from === 'header' ? source.name : source.path,
  ]);
  const named: [string, JsonValue | undefined][] = [
    ['query', whenFilled(query)],
    ['headers', whenFilled(headers)],
    ['json', body?.kind === 'json' ? body.value : undefined],
    ['form', body?.kind === 'form' ? body.fields : undefined],
    ['text', body?.kind === 'text' ? body.text : undefined],
    ['status', expect.status.length > 0 ? expect.status.map(({ from, to }) => [from, to]) : undefined],
    ['expect', whenFilled(expected)],
    ['capture', whenFilled(Object.fromEntries(sources))],
  ];
  return [
    ...[name, method, path].map((text) => python(text)),
    ...named.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${python(value)}`])),
  ].join(', ');
}

function whenFilled<T extends Record<string, JsonValue>>(record: T): T | undefined {
  return Object.keys(record).length > 0 ? record : undefined;
}

function waitOf(wait: WaitTime): string {
  switch (wait.kind) {
    case 'constant':
      return `constant(${wait.ms / 1000})`;
    case 'between':
      return `between(${wait.minMs / 1000}, ${wait.maxMs / 1000})`;
    case 'pacing':
      return `constant_pacing(${wait.periodMs / 1000})`;
  }
}

/** A Python literal. JSON's texts and numbers are Python's as well. */
function python(value: JsonValue): string {
  if (value === null) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (Array.isArray(value)) {
    return `[${value.map(python).join(', ')}]`;
  }
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}: ${python(item)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}

/** Names of classes: those of the users as far as Python allows them, all different. */
function classNames(users: readonly LoadUser[]): string[] {
  return different(
    users.map(({ name }) => {
      const words = name.match(/[A-Za-z0-9]+/g) ?? ['User'];
      const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
      return /^(?:\d|PlanUser$|PlanSequence$|PlanShape$|SequentialTaskSet$|FastHttpUser$|LoadTestShape$|None$|True$|False$)/.test(
        joined,
      )
        ? `User${joined}`
        : joined;
    }),
  );
}

/** Behind "do_" no name of a task is one of Locust's or Python's. */
function methodNames(tasks: readonly { name: string }[]): string[] {
  return different(tasks.map(({ name }) => `do_${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`));
}

function different(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let number = 2; taken.has(free); number += 1) {
      free = `${name}_${number}`;
    }
    taken.add(free);
    return free;
  });
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
