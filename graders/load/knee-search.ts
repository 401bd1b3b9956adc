/** What the search came to: see KneeSchema. */
export interface KneeEstimate {
  outcome: 'found' | 'above' | 'below';
  rate: number;
  low: number;
  high: number;
  repeats: number;
}

/** While the knee is only known to lie between two rates this far apart, the middle is tried. */
const CLOSE_RATIO = 1.25;
const COARSE_STEP = 1.1;
const FINE_STEP = 1.05;
/** Turns that are taken with the coarse step; they are not counted. */
const COARSE_TURNS = 2;
/** With so many turns the interval gains little by more. */
const ENOUGH_TURNS = 12;
/** Two-sided 95 % points of Student's t by degrees of freedom, from 1. */
const STUDENT_T = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18];

/**
 * Finds the highest rate that meets an objective, though one measurement may err. It doubles the rate until two
 * measurements in a row fail, halves the gap, and then walks up after a success and down after a failure: the places
 * where the walk turns lie about the rate that holds half of the time, and their spread tells how well it is known.
 * No clock and no service in it: `next` says what to measure, `record` takes the outcome.
 */
export class KneeSearch {
  readonly #from: number;
  readonly #to: number;
  #passed: number | undefined;
  #failed: number | undefined;
  #rate: number;
  #lastOk: boolean | undefined;
  #walking = false;
  #walked = 0;
  #lastRate = 0;
  readonly #turns: number[] = [];
  #outcome: 'above' | 'below' | undefined;

  constructor(fromPerSecond: number, toPerSecond: number) {
    this.#from = fromPerSecond;
    this.#to = toPerSecond;
    this.#rate = fromPerSecond;
  }

  /** The rate to measure now; undefined when enough is known. */
  next(): number | undefined {
    const enough = this.#turns.length >= ENOUGH_TURNS + COARSE_TURNS;
    return enough || this.#outcome !== undefined ? undefined : this.#rate;
  }

  record(ok: boolean): void {
    if (this.#walking) {
      this.#walk(ok);
    } else if (this.#failed === undefined) {
      this.#climb(ok);
    } else {
      this.#halve(ok);
    }
  }

  estimate(): KneeEstimate {
    const rates = this.#turns.slice(this.#turns.length > COARSE_TURNS + 1 ? COARSE_TURNS : 0);
    if (this.#outcome === 'above') {
      return { outcome: 'above', rate: this.#to, low: this.#to, high: this.#to, repeats: 2 };
    }
    if (this.#outcome === 'below') {
      return { outcome: 'below', rate: 0, low: 0, high: this.#from, repeats: 2 };
    }
    if (rates.length < 2) {
      return this.#bracket();
    }
    const logs = rates.map(Math.log);
    const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
    const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (logs.length - 1);
    // Two turns in a row share a measurement: so many turns tell about half as much.
    const independent = Math.max(2, Math.floor(logs.length / 2));
    const t = STUDENT_T[Math.min(independent - 1, STUDENT_T.length) - 1] ?? 2;
    // Turns lie on steps: half of one is what cannot be told apart.
    const half = Math.max(t * Math.sqrt(variance / independent), Math.log(FINE_STEP) / 2);
    return {
      outcome: 'found',
      rate: Math.exp(mean),
      low: Math.exp(mean - half),
      high: Math.exp(mean + half),
      repeats: this.#walked,
    };
  }

  /** Time was up before the walk turned often enough: the knee lies between what held and what did not. */
  #bracket(): KneeEstimate {
    const low = this.#passed ?? 0;
    const high = this.#failed ?? Math.min(this.#to, Math.max(this.#rate, low));
    const rate = this.#failed === undefined || low === 0 ? low : Math.sqrt(low * high);
    return { outcome: low === 0 ? 'below' : 'found', rate, low, high, repeats: this.#walked };
  }

  #climb(ok: boolean): void {
    const again = this.#lastOk === ok;
    this.#lastOk = ok;
    if (!ok) {
      if (!again) {
        return;
      }
      this.#failed = this.#rate;
      if (this.#passed === undefined) {
        this.#outcome = 'below';
      } else {
        this.#aim();
      }
      return;
    }
    if (this.#rate >= this.#to && this.#passed === this.#to) {
      this.#outcome = 'above';
    }
    this.#passed = this.#rate;
    this.#rate = Math.min(this.#to, this.#rate * 2);
  }

  #halve(ok: boolean): void {
    if (ok) {
      this.#passed = this.#rate;
    } else {
      this.#failed = this.#rate;
    }
    this.#aim();
  }

  #aim(): void {
    const [low, high] = [this.#passed ?? this.#from, this.#failed ?? this.#to];
    this.#rate = Math.sqrt(low * high);
    this.#walking = high / low <= CLOSE_RATIO;
    this.#lastOk = undefined;
  }

  #walk(ok: boolean): void {
    this.#walked += 1;
    if (this.#lastOk !== undefined && this.#lastOk !== ok) {
      this.#turns.push(Math.sqrt(this.#rate * this.#lastRate));
    }
    this.#lastOk = ok;
    this.#lastRate = this.#rate;
    const step = this.#turns.length < COARSE_TURNS ? COARSE_STEP : FINE_STEP;
    this.#rate = Math.min(this.#to, Math.max(this.#from, ok ? this.#rate * step : this.#rate / step));
  }
}
