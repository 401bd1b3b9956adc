import { z } from 'zod';
import type { ClosedPhase, OpenPhase } from './load-shape.ts';
import { DurationMs, RatePerSecond } from './units.ts';

/** Bounds that keep a plan within one run and one generator process. */
const MAX_USERS = 10_000;
const MAX_RATE_PER_SECOND = 20_000;
const MAX_STEPS = 50;

export const Users = z.number().int().min(1).max(MAX_USERS);
export const PhaseMs = DurationMs.refine((ms) => ms > 0, 'expected more than 0');
export const Rate = RatePerSecond.refine(
  (rate) => rate <= MAX_RATE_PER_SECOND,
  `expected at most ${MAX_RATE_PER_SECOND}/s`,
);

/** How much load there is: a number of users, or arrivals per second. */
interface Level {
  of: 'users' | 'arrivals';
  value: number;
}

const LevelSchema = z.union([
  Users.transform((value): Level => ({ of: 'users', value })),
  Rate.refine((rate) => rate > 0, 'expected a rate above 0').transform(
    (value): Level => ({ of: 'arrivals', value }),
  ),
]);

/** The load changes evenly from one level to another. */
export const RampSchema = z
  .strictObject({ from: LevelSchema, to: LevelSchema, for: PhaseMs })
  .superRefine((ramp, ctx) => checkLevels(ramp.from, { to: ramp.to }, ctx))
  .refine(({ from, to }) => from.value !== to.value, { message: 'expected another level', path: ['to'] });

/** The load goes up or down in equal steps. */
export const StepsSchema = z
  .strictObject({ from: LevelSchema, to: LevelSchema, by: LevelSchema, each: PhaseMs })
  .superRefine((steps, ctx) => checkLevels(steps.from, { to: steps.to, by: steps.by }, ctx))
  .refine(({ from, to, by }) => Math.abs(to.value - from.value) / by.value < MAX_STEPS, {
    message: `expected at most ${MAX_STEPS} steps`,
    path: ['by'],
  });

/** The load is even but for one moment, in the middle, when it is at its peak. */
export const SpikeSchema = z
  .strictObject({ base: LevelSchema, peak: LevelSchema, hold: PhaseMs, for: PhaseMs })
  .superRefine((spike, ctx) => checkLevels(spike.base, { peak: spike.peak }, ctx))
  .refine(({ base, peak }) => peak.value > base.value, {
    message: 'expected more than "base"',
    path: ['peak'],
  })
  .refine((spike) => spike.hold < spike.for, { message: 'expected less than "for"', path: ['hold'] });

type NamedPhase = (ClosedPhase | OpenPhase) & { name: string };

export function rampPhases({ from, to, for: durationMs }: z.output<typeof RampSchema>): NamedPhase[] {
  const name = 'ramp';
  if (from.of === 'arrivals') {
    return [{ kind: 'open', name, fromPerSecond: from.value, toPerSecond: to.value, durationMs }];
  }
  const spawnPerSecond = (Math.abs(to.value - from.value) * 1000) / durationMs;
  return [{ kind: 'closed', name, fromUsers: from.value, users: to.value, spawnPerSecond, durationMs }];
}

export function stepsPhases({ from, to, by, each }: z.output<typeof StepsSchema>): NamedPhase[] {
  const count = Math.ceil(Math.abs(to.value - from.value) / by.value) + 1;
  const sign = Math.sign(to.value - from.value);
  return Array.from({ length: count }, (_none, index) => {
    // The last step is `to`, whether the others add up to it or not.
    const value = index === count - 1 ? to.value : from.value + sign * index * by.value;
    return even({ of: from.of, value }, each, `step ${index + 1} of ${count}`);
  });
}

export function spikePhases({ base, peak, hold, for: totalMs }: z.output<typeof SpikeSchema>): NamedPhase[] {
  const besideMs = (totalMs - hold) / 2;
  return [
    even(base, besideMs, 'before the spike'),
    even(peak, hold, 'spike'),
    even(base, besideMs, 'after the spike'),
  ];
}

function even({ of, value }: Level, durationMs: number, name: string): NamedPhase {
  return of === 'users'
    ? { kind: 'closed', name, users: value, spawnPerSecond: undefined, durationMs }
    : { kind: 'open', name, fromPerSecond: value, toPerSecond: value, durationMs };
}

/** Users and arrivals do not mix. */
function checkLevels(first: Level, others: Record<string, Level>, ctx: z.RefinementCtx): void {
  for (const [key, level] of Object.entries(others)) {
    if (level.of !== first.of) {
      const message =
        first.of === 'users'
          ? 'expected a number of users, as at the other end'
          : 'expected a rate such as "200/s", as at the other end';
      ctx.addIssue({ code: 'custom', path: [key], message });
    }
  }
}
