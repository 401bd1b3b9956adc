import { z } from 'zod';
import { ObjectiveSchema } from './load-objective.ts';
import type { Objective } from './load-objective.ts';
import { DurationMs, RatePerSecond } from './units.ts';

/** Users are loops, each waiting for its answer before it goes on. `warm-up` is left out of the results. */
export interface ClosedPhase {
  kind: 'warm-up' | 'closed';
  users: number;
  /** Users added or removed per second; undefined: all at once. */
  spawnPerSecond: number | undefined;
  durationMs: number;
}

/** Requests arrive by the clock, whatever the service does. The rate changes evenly from one to the other. */
export interface OpenPhase {
  kind: 'open';
  fromPerSecond: number;
  toPerSecond: number;
  durationMs: number;
}

/** Looks for the highest arrival rate that meets an objective. Its requests are not counted in the results. */
export interface KneePhase {
  kind: 'knee';
  objective: Objective;
  fromPerSecond: number;
  toPerSecond: number;
  /** How long one rate is measured. */
  stepMs: number;
  /** For the whole search. */
  durationMs: number;
}

export type LoadPhase = ClosedPhase | OpenPhase | KneePhase;

/** Bounds that keep a plan within one run and one generator process. */
const MAX_PLAN_MS = 30 * 60_000;
const MAX_USERS = 10_000;
const MAX_RATE_PER_SECOND = 20_000;
/** Fewer measurements cannot climb, halve and repeat. */
const MIN_KNEE_STEPS = 8;

const Users = z.number().int().min(1).max(MAX_USERS);
const PhaseMs = DurationMs.refine((ms) => ms > 0, 'expected more than 0');
const Rate = RatePerSecond.refine(
  (rate) => rate <= MAX_RATE_PER_SECOND,
  `expected at most ${MAX_RATE_PER_SECOND}/s`,
);
const ArrivalRate = z.union([
  Rate,
  z
    .strictObject({ from: Rate, to: Rate })
    .refine((rate) => rate.from + rate.to > 0, 'expected a rate above 0 at one end'),
]);

const KneeKeys = z
  .strictObject({
    objective: ObjectiveSchema,
    from: Rate.refine((rate) => rate > 0, 'expected a rate above 0'),
    to: Rate,
    for: PhaseMs.prefault('30s'),
    step: PhaseMs.prefault('1500ms'),
  })
  .refine(({ from, to }) => from < to, { message: 'expected a rate above "from"', path: ['to'] })
  .refine((knee) => knee.for >= knee.step * MIN_KNEE_STEPS, {
    message: `expected time for ${MIN_KNEE_STEPS} steps at the least`,
    path: ['for'],
  });

const PhaseKeys = z.strictObject({
  findKnee: KneeKeys.optional(),
  warmUp: PhaseMs.optional(),
  users: Users.optional(),
  spawnRate: RatePerSecond.refine((rate) => rate > 0, 'expected a rate above 0').optional(),
  arrivalRate: ArrivalRate.optional(),
  for: PhaseMs.optional(),
});
type PhaseKeys = z.output<typeof PhaseKeys>;

const FORMS = '{ warmUp, users }, { users, spawnRate?, for }, { arrivalRate, for } or { findKnee }';

const PhaseSchema = PhaseKeys.transform((keys, ctx): LoadPhase => {
  const problem = problemOf(keys);
  if (problem) {
    ctx.addIssue({ code: 'custom', ...problem });
    return z.NEVER;
  }
  return toPhase(keys);
});

/** The phases of a plan, in order; at least one of them counts. */
export const LoadShapeSchema = z
  .array(PhaseSchema)
  .min(1)
  .refine(
    (shape) => shape.length === 0 || shape.some((phase) => phase.kind !== 'warm-up'),
    'expected a phase that counts: a warm-up is left out of the results',
  )
  .refine(
    (shape) => shape.reduce((sum, phase) => sum + phase.durationMs, 0) <= MAX_PLAN_MS,
    'expected phases of at most 30 minutes together',
  )
  .refine(
    (shape) => shape.filter((phase) => phase.kind === 'knee').length <= 1,
    'expected at most one findKnee',
  );

/** "warm-up 5s 10 users", "closed 20s 50 users", "open 20s 50 to 200/s", "knee 30s 50 to 5000/s". */
export function phaseLabel(phase: LoadPhase): string {
  const seconds = `${Number((phase.durationMs / 1000).toFixed(2))}s`;
  if ('users' in phase) {
    return `${phase.kind} ${seconds} ${phase.users} users`;
  }
  const from = phase.fromPerSecond === phase.toPerSecond ? '' : `${rounded(phase.fromPerSecond)} to `;
  return `${phase.kind} ${seconds} ${from}${rounded(phase.toPerSecond)}/s`;
}

function rounded(rate: number): number {
  return Number(rate.toFixed(2));
}

function problemOf(keys: PhaseKeys): { message: string; path?: string[] } | undefined {
  if (keys.findKnee !== undefined) {
    const extra = (Object.keys(keys) as (keyof PhaseKeys)[]).find(
      (key) => key !== 'findKnee' && keys[key] !== undefined,
    );
    return extra && { message: 'findKnee has nothing beside it', path: [extra] };
  }
  if (keys.warmUp !== undefined) {
    const extra = (['spawnRate', 'arrivalRate', 'for'] as const).find((key) => keys[key] !== undefined);
    if (extra) {
      return { message: 'a warm-up has only users beside it', path: [extra] };
    }
    return keys.users === undefined
      ? { message: 'missing: how many users warm up', path: ['users'] }
      : undefined;
  }
  if (keys.for === undefined) {
    return { message: `missing: how long the phase lasts; a phase is ${FORMS}`, path: ['for'] };
  }
  if (keys.arrivalRate === undefined) {
    return keys.users === undefined ? { message: `expected ${FORMS}` } : undefined;
  }
  if (keys.users !== undefined || keys.spawnRate !== undefined) {
    const path = [keys.users === undefined ? 'spawnRate' : 'users'];
    return { message: 'an arrival rate needs no users: they are added as requests arrive', path };
  }
  return keys.arrivalRate === 0 ? { message: 'expected a rate above 0', path: ['arrivalRate'] } : undefined;
}

function toPhase(keys: PhaseKeys): LoadPhase {
  const { arrivalRate, users = 1, spawnRate, findKnee } = keys;
  if (findKnee !== undefined) {
    const { objective, from, to, step } = findKnee;
    const rates = { fromPerSecond: from, toPerSecond: to };
    return { kind: 'knee', objective, ...rates, stepMs: step, durationMs: findKnee.for };
  }
  if (keys.warmUp !== undefined) {
    return { kind: 'warm-up', users, spawnPerSecond: undefined, durationMs: keys.warmUp };
  }
  const durationMs = keys.for ?? 0;
  if (arrivalRate === undefined) {
    return { kind: 'closed', users, spawnPerSecond: spawnRate, durationMs };
  }
  const ramp = typeof arrivalRate === 'number' ? { from: arrivalRate, to: arrivalRate } : arrivalRate;
  return { kind: 'open', fromPerSecond: ramp.from, toPerSecond: ramp.to, durationMs };
}
