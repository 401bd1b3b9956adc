import type { ResponseParser } from './response-parser.ts';

/** One exchange kept as evidence. */
export interface Sample {
  /** As it went over the wire; empty when it never did. */
  requestText: string;
  response: { status: number; head: string; body: string; bodyTruncated: boolean } | undefined;
  failure: string | undefined;
  /** Intended start to end, and real send to end, ms. */
  latencyMs: number;
  serviceMs: number;
}

const FAILURES_PER_ROW = 3;
/** A new slowest exchange is kept when it is that much slower; else a growing latency would copy every response. */
const SLOWER_BY = 1.2;
const SHOWN_BODY_CHARS = 2048;

/** Keeps the first failures of each kind and the slowest success of every row. */
export class Sampler {
  readonly #failures = new Map<number, Sample[]>();
  readonly #slowest = new Map<number, Sample>();

  offer(
    row: number,
    requestText: string,
    response: ResponseParser | undefined,
    outcome: Pick<Sample, 'failure' | 'latencyMs' | 'serviceMs'>,
  ): void {
    if (outcome.failure === undefined) {
      const slowest = this.#slowest.get(row);
      if (!slowest || outcome.latencyMs > slowest.latencyMs * SLOWER_BY) {
        this.#slowest.set(row, makeSample(requestText, response, outcome));
      }
      return;
    }
    const samples = this.#failures.get(row) ?? [];
    if (samples.length < FAILURES_PER_ROW && !samples.some(({ failure }) => failure === outcome.failure)) {
      this.#failures.set(row, [...samples, makeSample(requestText, response, outcome)]);
    }
  }

  /** Failing exchanges of a row, one of each kind; of all rows when `row` is undefined. */
  failures(row: number | undefined): Sample[] {
    return row === undefined ? [...this.#failures.values()].flat() : (this.#failures.get(row) ?? []);
  }

  /** The slowest successful exchange of a row, or of all rows. */
  slowest(row: number | undefined): Sample | undefined {
    return row === undefined
      ? [...this.#slowest.values()].toSorted((a, b) => b.latencyMs - a.latencyMs)[0]
      : this.#slowest.get(row);
  }
}

function makeSample(
  requestText: string,
  response: ResponseParser | undefined,
  outcome: Pick<Sample, 'failure' | 'latencyMs' | 'serviceMs'>,
): Sample {
  const body = response?.bodyText() ?? '';
  const shown = body.slice(0, SHOWN_BODY_CHARS);
  return {
    requestText,
    response: response && {
      status: response.status,
      head: response.head,
      body: shown,
      bodyTruncated: shown.length < body.length || !response.bodyKeptWhole,
    },
    ...outcome,
  };
}
