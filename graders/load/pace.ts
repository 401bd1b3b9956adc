/** How much the reference service can do right now, requests/s; undefined when that cannot be known. */
export type TakeTurn = () => Promise<number | undefined>;

/**
 * How the speed of the machine changes while rates are measured one after another. It is 1 at the first turn of the
 * reference, and stays so where there are no turns; after one that failed it stays what it was.
 */
export class Pace {
  readonly #takeTurn: TakeTurn | undefined;
  readonly #logs: number[] = [];
  #first: number | undefined;
  #last: number | undefined;
  #lost = false;
  /** How long the turns took together, ms. */
  turnsMs = 0;

  constructor(takeTurn: TakeTurn | undefined) {
    this.#takeTurn = takeTurn;
  }

  /** Before the first measurement. One more turn than counts: the first finds other code in the caches of the CPU. */
  async begin(): Promise<void> {
    await this.#turn();
    this.#first = await this.#turn();
    this.#last = this.#first;
  }

  /** The speed at the last turn. */
  get speed(): number {
    return this.#speedAt(this.#last);
  }

  /** After each measurement. Answers what the reference reached about it and the speed then: means of both its ends. */
  async end(): Promise<{ reference?: number; speed: number }> {
    const before = this.#last;
    const after = await this.#turn();
    if (before === undefined || after === undefined) {
      return { speed: this.speed };
    }
    this.#last = after;
    const reference = Math.sqrt(before * after);
    this.#logs.push(Math.log(reference));
    return { reference: Math.round(reference), speed: this.#speedAt(reference) };
  }

  /** The same over all measurements; no reference where a turn failed. */
  mean(): { reference?: number; speed: number } {
    if (this.#logs.length === 0) {
      return { speed: 1 };
    }
    const reference = Math.exp(this.#logs.reduce((sum, log) => sum + log, 0) / this.#logs.length);
    return { ...(!this.#lost && { reference }), speed: this.#speedAt(reference) };
  }

  #speedAt(reference: number | undefined): number {
    return reference === undefined || this.#first === undefined ? 1 : reference / this.#first;
  }

  /** Tried twice, and not again once it failed. */
  async #turn(): Promise<number | undefined> {
    if (!this.#takeTurn || this.#lost) {
      return undefined;
    }
    const fromMs = performance.now();
    const rate = (await this.#takeTurn()) ?? (await this.#takeTurn());
    this.turnsMs += performance.now() - fromMs;
    this.#lost = rate === undefined;
    return rate;
  }
}
