/** What the search came to: see KneeSchema. */
export interface KneeEstimate {
  outcome: 'found' | 'above' | 'below';
  rate: number;
  low: number;
  high: number;
  repeats: number;
}

interface Outcome {
  log: number;
  ok: boolean;
}

/** While the knee is only known to lie between two rates this far apart, the middle is tried. */
const CLOSE_RATIO = 1.25;
const COARSE_STEP = 1.1;
const FINE_STEP = 1.05;
/** Turns that are taken with the coarse step. */
const COARSE_TURNS = 2;
/** With so many turns the interval gains little by more. */
const ENOUGH_TURNS = 14;
/** How gradually a service goes from always to never, as a scale of log rates, at the least and at the most. */
const SCALE = { least: 0.06, most: 0.2 };
/** A shorter walk tells no more than the gap it began in. */
const LEAST_WALK = 2;
/** Two-sided 95 % point of the normal distribution. */
const Z_95 = 1.96;
/** That of a single outcome some way off: the interval stays finite. */
const LEAST_INFORMATION = 0.1;
/** Halvings of the interval that the knee is sought in: more than a double has digits. */
const HALVINGS = 60;

/**
 * Finds the highest rate that meets an objective, though one measurement may err. It doubles the rate until two
 * measurements in a row fail, halves the gap, and then walks up after a success and down after a failure, which keeps it
 * about the rate that holds half of the time. All outcomes together tell where that is: see `mostLikely`. No clock and
 * no service in it: `next` says what to measure, `record` takes the outcome.
 */
export class KneeSearch {
  readonly #from: number;
  readonly #to: number;
  #passed: number | undefined;
  #failed: number | undefined;
  #rate: number;
  #lastOk: boolean | undefined;
  #walking = false;
  /** The last measurement held, at the highest rate that may be tried. */
  #toppedBefore = false;
  #walked = 0;
  #lastRate = 0;
  /** All that was measured, as the logarithm of the rate. */
  readonly #outcomes: Outcome[] = [];
  readonly #turns: number[] = [];
  #outcome: 'above' | 'below' | undefined;

  constructor(fromPerSecond: number, toPerSecond: number) {
    this.#from = fromPerSecond;
    this.#to = toPerSecond;
    this.#rate = fromPerSecond;
  }

  /** Nothing has failed yet: the knee may be far, and a short look will do. */
  get isClimbing(): boolean {
    return this.#failed === undefined;
  }

  /** The rate to measure now, or the highest one where it lies beyond that; undefined when enough is known. */
  next(): number | undefined {
    const enough = this.#turns.length >= ENOUGH_TURNS;
    return enough || this.#outcome !== undefined ? undefined : this.#rate;
  }

  /**
   * `measured`: the rate that it came to, where that was not exactly the one to measure. `isTop`: nothing higher may be
   * tried.
   */
  record(ok: boolean, measured: number = this.#rate, isTop: boolean = measured >= this.#to): void {
    this.#outcomes.push({ log: Math.log(measured), ok });
    if (this.#walking) {
      this.#walk(ok, measured, isTop);
    } else if (this.#failed === undefined) {
      this.#climb(ok, measured, isTop);
    } else {
      this.#halve(ok, measured);
    }
  }

  estimate(): KneeEstimate {
    if (this.#outcome === 'above') {
      return { outcome: 'above', rate: this.#to, low: this.#to, high: this.#to, repeats: 2 };
    }
    if (this.#outcome === 'below') {
      return { outcome: 'below', rate: 0, low: 0, high: this.#from, repeats: 2 };
    }
    if (this.#walked < LEAST_WALK) {
      return this.#bracket();
    }
    const scale = Math.min(SCALE.most, Math.max(SCALE.least, deviation(this.#turns.map(Math.log))));
    const { log, error } = mostLikely(this.#outcomes, scale);
    // Rates lie on steps: half of one is what cannot be told apart.
    const half = Math.max(Z_95 * error, Math.log(FINE_STEP) / 2);
    return {
      outcome: 'found',
      rate: Math.exp(log),
      low: Math.exp(log - half),
      high: Math.exp(log + half),
      repeats: this.#walked,
    };
  }

  /** Time was up before there was much of a walk: the knee lies between what held and what did not. */
  #bracket(): KneeEstimate {
    // At a speed that changes what failed may lie below what held.
    const passed = this.#passed ?? 0;
    const failed = this.#failed ?? Math.max(passed, Math.min(this.#to, this.#rate));
    const [low, high] = [Math.min(passed, failed), Math.max(passed, failed)];
    const rate = this.#failed === undefined || low === 0 ? low : Math.sqrt(low * high);
    return { outcome: low === 0 ? 'below' : 'found', rate, low, high, repeats: this.#walked };
  }

  #climb(ok: boolean, measured: number, isTop: boolean): void {
    const again = this.#lastOk === ok;
    this.#lastOk = ok;
    if (!ok) {
      this.#toppedBefore = false;
      if (!again) {
        return;
      }
      this.#failed = measured;
      if (this.#passed === undefined) {
        this.#outcome = 'below';
      } else {
        this.#aim();
      }
      return;
    }
    if (isTop && this.#toppedBefore) {
      this.#outcome = 'above';
    }
    this.#toppedBefore = isTop;
    this.#passed = measured;
    this.#rate = isTop ? this.#rate : this.#rate * 2;
  }

  #halve(ok: boolean, measured: number): void {
    if (ok) {
      this.#passed = measured;
    } else {
      this.#failed = measured;
    }
    this.#aim();
  }

  #aim(): void {
    const [low, high] = [this.#passed ?? this.#from, this.#failed ?? this.#to];
    this.#rate = Math.sqrt(low * high);
    this.#walking = high / low <= CLOSE_RATIO;
    this.#lastOk = undefined;
  }

  #walk(ok: boolean, measured: number, isTop: boolean): void {
    this.#walked += 1;
    if (this.#lastOk !== undefined && this.#lastOk !== ok) {
      this.#turns.push(Math.sqrt(measured * this.#lastRate));
    }
    this.#lastOk = ok;
    this.#lastRate = measured;
    const step = this.#turns.length < COARSE_TURNS ? COARSE_STEP : FINE_STEP;
    const up = isTop ? this.#rate : this.#rate * step;
    this.#rate = Math.max(this.#from, ok ? up : this.#rate / step);
  }
}

/**
 * The rate that holds half of the time, where the chance to hold falls with the logarithm of the rate as a logistic curve
 * of this scale does: the maximum of the likelihood, at which as many outcomes held as were to be expected. One that lies
 * far off counts no more than one that lies near, and the scale hardly matters. `error`: its standard error, by Fisher's
 * information.
 */
function mostLikely(outcomes: readonly Outcome[], scale: number): { log: number; error: number } {
  function chances(log: number): number[] {
    return outcomes.map((outcome) => 1 / (1 + Math.exp((outcome.log - log) / scale)));
  }
  const held = outcomes.filter(({ ok }) => ok).length;
  const logs = outcomes.map(({ log }) => log);
  let [low, high] = [Math.min(...logs), Math.max(...logs)];
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2;
    const expected = chances(middle).reduce((sum, chance) => sum + chance, 0);
    [low, high] = expected < held ? [middle, high] : [low, middle];
  }
  const information = chances(low).reduce((sum, chance) => sum + chance * (1 - chance), 0);
  return { log: low, error: scale / Math.sqrt(Math.max(LEAST_INFORMATION, information)) };
}

/** 0 for fewer than two. */
function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1),
  );
}
