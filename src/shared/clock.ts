/** Time as our code sees it: `now` for timestamps, `elapsedMs` monotonic, for durations. */
export interface Clock {
  now(): Date;
  elapsedMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
};
