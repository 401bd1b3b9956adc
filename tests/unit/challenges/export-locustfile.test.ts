import { describe, expect, it } from 'vitest';
import { exportLocustfile } from '../../../src/challenges/export-locustfile.ts';
import { LoadPlanSchema, resolveLoadPlan } from '../../../src/domain/load-plan.ts';

/** The exported file of a plan with one user, whose parts a test sets. */
function exported(parts: { user?: object; task?: object; shape?: object[]; name?: string }): string {
  const plan = LoadPlanSchema.parse({
    maxUsers: 40,
    users: [
      {
        name: parts.name ?? 'Visitor',
        ...parts.user,
        tasks: [{ name: 'go', request: 'GET /', ...parts.task }],
      },
    ],
    shape: parts.shape ?? [{ users: 2, for: '1s' }],
    thresholds: [{ that: 'errors < 1%' }],
  });
  const text = exportLocustfile('Shop', resolveLoadPlan('hidden/load.yaml', plan));
  return text.slice(text.indexOf('PHASES = ['));
}

describe('exportLocustfile', () => {
  it.each([
    [{ weight: 3, waitTime: { constant: '1s' } }, ['weight = 3', 'think_time = constant(1)']],
    [
      { fixedCount: 2, waitTime: { constantThroughput: '4/s' } },
      ['fixed_count = 2', 'think_time = constant_pacing(0.25)'],
    ],
    [{ waitTime: { between: ['100ms', '2s'] } }, ['weight = 1', 'think_time = between(0.1, 2)']],
  ])('writes users with %j', (user, lines) => {
    for (const line of lines) {
      expect(exported({ user })).toContain(`    ${line}\n`);
    }
  });

  it('writes values as Python has them, and texts so that they end where they should', () => {
    const text = exported({
      task: {
        request: 'POST /x',
        json: { a: null, b: true, c: [1.5, 'it\'s "so"\n"""'], d: '${random.int(1,6)}' },
      },
    });

    expect(text).toContain(
      String.raw`json={"a": None, "b": True, "c": [1.5, "it's \"so\"\n\"\"\""], "d": "${'${random.int(1,6)}'}"}`,
    );
  });

  it('writes a list of requests at the start that ends at the first wrong one', () => {
    const text = exported({
      user: {
        onStart: [
          { request: 'POST /login', capture: { token: '$.data[0].token', at: 'header:Location' } },
          { request: 'GET /me', headers: { Authorization: 'Bearer ${token}' } },
        ],
      },
    });

    expect(text).toMatch(/return \(\n +self\.send\("POST \/login".*\n +and self\.send\("GET \/me"/);
    expect(text).toContain('capture={"token": ["data", 0, "token"], "at": "location"}');
    expect(text).toContain('headers={"authorization": "Bearer ${token}"}');
  });

  it('makes an arrival rate of users that begin one task a second, within the users that there may be', () => {
    const text = exported({
      shape: [
        { warmUp: '1s', users: 3 },
        { users: 9, spawnRate: '3/s', for: '2s' },
        { arrivalRate: '30/s', for: '2s' },
        { arrivalRate: { from: '10/s', to: '200/s' }, for: '4s' },
      ],
    });

    expect(text).toContain('{"seconds": 2, "users": 9, "spawn_rate": 3},');
    expect(text).toContain('{"seconds": 2, "users": 30, "spawn_rate": 30, "rate": [30, 30]},');
    expect(text).toContain('{"seconds": 4, "users": 40, "spawn_rate": 40, "rate": [10, 200]},');
  });

  it('makes a class of a sequence, whose last step ends it, and keeps tags', () => {
    const text = exported({
      task: {
        request: undefined,
        weight: 2,
        tags: ['write', 'slow'],
        sequence: [
          { name: 'hold it', request: 'POST /holds', capture: { id: '$.id' } },
          { name: 'pay', request: 'POST /holds/${id}/pay' },
        ],
      },
    });

    expect(text).toContain(`
    @tag("write", "slow")
    @task(2)
    class do_go(PlanSequence):
        @task
        def do_hold_it(self):
            self.step("hold it", "POST", "/holds", capture={"id": ["id"]})

        @task
        def do_pay(self):
            self.step("pay", "POST", "/holds/${'${id}'}/pay", last=True)
`);
  });

  it('ramps users, and takes a spike and steps apart', () => {
    const text = exported({
      shape: [
        { ramp: { from: 10, to: 2, for: '4s' } },
        { spike: { base: 1, peak: 5, hold: '1s', for: '3s' } },
      ],
    });

    expect(text).toContain('{"seconds": 4, "users": 2, "spawn_rate": 10, "ramp": [10, 2]},  # ramp: closed');
    expect(text).toContain('{"seconds": 1, "users": 5, "spawn_rate": 5},  # spike: closed 1s 5 users');
  });

  it.each([
    ['3 little pigs!', 'class User3LittlePigs(PlanUser):'],
    ['PlanUser', 'class UserPlanUser(PlanUser):'],
    ['日本', 'class User(PlanUser):'],
  ])('names the class of "%s" so that Python takes it', (name, line) => {
    expect(exported({ name })).toContain(line);
  });
});
