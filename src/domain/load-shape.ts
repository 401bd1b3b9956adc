import { z } from 'zod';
import { ObjectiveSchema } from './load-objective.ts';
import type { Objective } from './load-objective.ts';
import {
  PhaseMs,
  RampSchema,
  rampPhases,
  Rate,
  SpikeSchema,
  spikePhases,
  StepsSchema,
  stepsPhases,
  Users,
} from './load-shape-forms.ts';
import { RatePerSecond } from './units.ts';

/** Users are loops, each waiting for its answer before it goes on. `warm-up` is left out of the results. */
export interface ClosedPhase {
  kind: 'warm-up' | 'closed';
  name?: string;
  /** So many at its start, at once; those of the phase before when undefined. */
  fromUsers?: number;
  users: number;
  /** Users added or removed per second; undefined: all at once. */
  spawnPerSecond: number | undefined;
  durationMs: number;
}

/** Requests arrive by the clock, whatever the service does. The rate changes evenly from one to the other. */
export interface OpenPhase {
  kind: 'open';
  name?: string;
  fromPerSecond: number;
  toPerSecond: number;
  durationMs: number;
}

/** Looks for the highest arrival rate that meets an objective. Its requests are not counted in the results. */
export interface KneePhase {
  kind: 'knee';
  name?: string;
  objective: Objective;
  fromPerSecond: number;
  toPerSecond: number;
  /** How long one rate is measured. */
  stepMs: number;
  /** For the whole search. */
  durationMs: number;
}

export type LoadPhase = ClosedPhase | OpenPhase | KneePhase;

/** Bounds that keep a plan within one run. */
const MAX_PLAN_MS = 30 * 60_000;
const MAX_PHASES = 100;
/** Fewer measurements cannot climb, halve and repeat. */
const MIN_KNEE_STEPS = 8;

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
  /** Shown beside its phases in the report. */
  name: z.string().min(1).max(60).optional(),
  findKnee: KneeKeys.optional(),
  ramp: RampSchema.optional(),
  steps: StepsSchema.optional(),
  spike: SpikeSchema.optional(),
  warmUp: PhaseMs.optional(),
  users: Users.optional(),
  spawnRate: RatePerSecond.refine((rate) => rate > 0, 'expected a rate above 0').optional(),
  arrivalRate: ArrivalRate.optional(),
  for: PhaseMs.optional(),
});
type PhaseKeys = z.output<typeof PhaseKeys>;

const WHOLE_FORMS = ['findKnee', 'ramp', 'steps', 'spike'] as const;
const FORMS = `{ warmUp, users }, { users, spawnRate?, for }, { arrivalRate, for } or one of ${WHOLE_FORMS.join(', ')}`;

const EntrySchema = PhaseKeys.transform((keys, ctx): LoadPhase[] => {
  const problem = problemOf(keys);
  if (problem) {
    ctx.addIssue({ code: 'custom', ...problem });
    return z.NEVER;
  }
  const { name } = keys;
  return toPhases(keys).map((phase) => {
    const names = [name, phase.name].filter((part) => part !== undefined);
    return names.length === 0 ? phase : { ...phase, name: names.join(', ') };
  });
});

/** The phases of each entry, in order; at least one of them counts. */
export const LoadShapeSchema = z
  .array(EntrySchema)
  .min(1)
  .refine(
    (shape) => shape.length === 0 || shape.flat().some((phase) => phase.kind !== 'warm-up'),
    'expected a phase that counts: a warm-up is left out of the results',
  )
  .refine(
    (shape) => shape.flat().reduce((sum, phase) => sum + phase.durationMs, 0) <= MAX_PLAN_MS,
    'expected phases of at most 30 minutes together',
  )
  .refine((shape) => shape.flat().length <= MAX_PHASES, `expected at most ${MAX_PHASES} phases`)
  .refine(
    (shape) => shape.flat().filter((phase) => phase.kind === 'knee').length <= 1,
    'expected at most one findKnee',
  );

/** "warm-up 5s 10 users", "rush, spike: open 20s 200/s", "closed 9s 5 to 50 users", "knee 30s 50 to 5000/s". */
export function phaseLabel(phase: LoadPhase): string {
  const seconds = `${Number((phase.durationMs / 1000).toFixed(2))}s`;
  const name = phase.name === undefined ? '' : `${phase.name}: `;
  if ('users' in phase) {
    const from = phase.fromUsers === undefined ? '' : `${phase.fromUsers} to `;
    return `${name}${phase.kind} ${seconds} ${from}${phase.users} users`;
  }
  const from = phase.fromPerSecond === phase.toPerSecond ? '' : `${rounded(phase.fromPerSecond)} to `;
  return `${name}${phase.kind} ${seconds} ${from}${rounded(phase.toPerSecond)}/s`;
}

function rounded(rate: number): number {
  return Number(rate.toFixed(2));
}

function problemOf(keys: PhaseKeys): { message: string; path?: string[] } | undefined {
  const whole = WHOLE_FORMS.find((form) => keys[form] !== undefined);
  if (whole !== undefined) {
    const extra = (Object.keys(keys) as (keyof PhaseKeys)[]).find(
      (key) => key !== whole && key !== 'name' && keys[key] !== undefined,
    );
    return extra && { message: `${whole} has nothing beside it`, path: [extra] };
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

function toPhases(keys: PhaseKeys): LoadPhase[] {
  if (keys.ramp !== undefined) {
    return rampPhases(keys.ramp);
  }
  if (keys.steps !== undefined) {
    return stepsPhases(keys.steps);
  }
  return keys.spike === undefined ? [toPhase(keys)] : spikePhases(keys.spike);
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
