import { LatencyHistogram } from '../load/latency-histogram.ts';
import { RowRecorder } from '../load/recorder.ts';
import type { Interval } from '../load/recorder.ts';
import type { LocustRequests } from './locust-events.ts';

/** Requests of one method and name. */
interface TallyRow {
  method: string;
  name: string;
  recorder: RowRecorder;
}

interface Second {
  requests: number;
  failures: number;
  latency: LatencyHistogram;
}

/** Rows of the report travel in one protocol line. */
const MAX_ROWS = 100;

/** Everything that the processes of a test have told, summed up. */
export class Tally {
  readonly #rows = new Map<string, TallyRow>();
  readonly #seconds = new Map<number, Second>();
  /** By process: what it said last of its users, by second. */
  readonly #users = new Map<number, Map<number, number>>();
  /** Requests under names past the limit. They are in no row but in the total. */
  readonly #beyond = new RowRecorder();

  /** Requests of all kinds so far, warm-up included. */
  requests = 0;

  addUsers(index: number, atS: number, users: number): void {
    const known = this.#users.get(index) ?? new Map<number, number>();
    known.set(Math.floor(atS), users);
    this.#users.set(index, known);
  }

  addRequests({ rows }: LocustRequests): void {
    for (const { second, counted, method, name, ok, failed } of rows) {
      const interval = this.#secondOf(second);
      const recorder = counted ? this.#rowOf(method, name) : undefined;
      for (const [ms, times] of ok) {
        this.#record(interval, recorder, ms, undefined, true, times);
      }
      for (const [failure, answered, ms, times] of failed) {
        this.#record(interval, recorder, ms, failure, answered, times);
      }
    }
  }

  #record(
    interval: Second,
    recorder: RowRecorder | undefined,
    ms: number,
    failure: string | undefined,
    answered: boolean,
    times: number,
  ): void {
    this.requests += times;
    interval.requests += times;
    interval.failures += failure === undefined ? 0 : times;
    // Locust measures from the sending: what a user waited before that, it cannot know.
    const outcome = { row: 0, intendedMs: 0, sentMs: 0, endMs: ms, failure, answered, counted: true };
    for (let time = 0; time < times; time += 1) {
      recorder?.record(outcome);
      if (failure === undefined) {
        interval.latency.record(ms);
      }
    }
  }

  #secondOf(second: number): Second {
    const known = this.#seconds.get(second) ?? { requests: 0, failures: 0, latency: new LatencyHistogram() };
    this.#seconds.set(second, known);
    return known;
  }

  #rowOf(method: string, name: string): RowRecorder {
    const key = `${method} ${name}`;
    const known = this.#rows.get(key);
    if (known) {
      return known.recorder;
    }
    if (this.#rows.size >= MAX_ROWS) {
      return this.#beyond;
    }
    const recorder = new RowRecorder();
    this.#rows.set(key, { method, name, recorder });
    return recorder;
  }

  /** Rows by the name they have in the report: the request's own, with its method where two methods share it. */
  rows(): { name: string; recorder: RowRecorder }[] {
    const all = [...this.#rows.values()].toSorted(
      (a, b) => compare(a.name, b.name) || compare(a.method, b.method),
    );
    return all.map(({ method, name, recorder }) => {
      const shared = all.filter((other) => other.name === name).length > 1;
      return { name: shared ? `${method} ${name}` : name, recorder };
    });
  }

  /** What a threshold's task stands for: a row's name, or all methods of one name. Undefined when there is none. */
  find(task: string): RowRecorder | undefined {
    const parts = [...this.#rows.values()].filter(
      ({ method, name }) => name === task || `${method} ${name}` === task,
    );
    return parts.length === 0 ? undefined : sum(parts.map(({ recorder }) => recorder));
  }

  total(): RowRecorder {
    return sum([...[...this.#rows.values()].map(({ recorder }) => recorder), this.#beyond]);
  }

  /** The seconds of a test in order; the last may be a part of one. */
  intervals(durationS: number): Interval[] {
    const last = Math.ceil(durationS) - 1;
    return Array.from({ length: last + 1 }, (_, second) => {
      const { requests = 0, failures = 0, latency } = this.#seconds.get(second) ?? {};
      return {
        atS: second,
        lengthS: Math.min(1, durationS - second),
        requests,
        failures,
        users: this.#usersAt(second),
        p50Ms: latency?.percentileMs(50) ?? 0,
        p95Ms: latency?.percentileMs(95) ?? 0,
        p99Ms: latency?.percentileMs(99) ?? 0,
      };
    });
  }

  /** Each process tells once a second; a second that it skipped is as the one before. */
  #usersAt(second: number): number {
    return [...this.#users.values()].reduce((all, known) => {
      const at = [...known.keys()].filter((key) => key <= second).at(-1);
      return all + (at === undefined ? 0 : (known.get(at) ?? 0));
    }, 0);
  }
}

function sum(recorders: readonly RowRecorder[]): RowRecorder {
  const all = new RowRecorder();
  for (const recorder of recorders) {
    all.add(recorder);
  }
  return all;
}

/** Code-unit order: the same on every machine. */
function compare(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}
