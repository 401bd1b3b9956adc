/** What a failing check shows beside its sentence. */
export interface FailureDetail {
  /** Place below the step: "expect.status". */
  at?: string;
  expected?: string;
  actual?: string;
  diff?: string[];
}

/** The service did not do what the suite expects. The message is one plain sentence without a full stop. */
export class CheckFailure extends Error {
  readonly detail: FailureDetail;
  /** Time was up: slowness alone, which another try on a quieter machine may not show. */
  readonly late: boolean;

  constructor(message: string, detail: FailureDetail = {}, late = false) {
    super(message);
    this.name = 'CheckFailure';
    this.detail = detail;
    this.late = late;
  }

  /** The same failure, seen from one level further out: "steps[1]" + "expect.status". */
  within(place: string): CheckFailure {
    const at = this.detail.at === undefined ? place : `${place}.${this.detail.at}`;
    return new CheckFailure(this.message, { ...this.detail, at }, this.late);
  }
}

/** The suite asks for something that cannot be done; no candidate is to blame. */
export class SuiteFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SuiteFault';
  }
}
