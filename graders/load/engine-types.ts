import type { Knee } from '../../src/domain/load-result.ts';
import type { LoadPhase } from '../../src/domain/load-shape.ts';
import type { CompiledPlan } from './compile-plan.ts';
import type { GeneratorHealth } from './health.ts';
import type { Target } from './http-connection.ts';
import type { Recorder } from './recorder.ts';
import type { TakeTurn } from './pace.ts';
import type { Sampler } from './sampler.ts';

export interface EngineOptions {
  /** The generator has its CPU for itself, and may stay awake on it. */
  ownsCpu: boolean;
  plan: CompiledPlan;
  shape: readonly LoadPhase[];
  target: Target;
  seed: string;
  /** Most users of an open phase. */
  maxUsers: number;
  /** Arrivals that wait longer for a free user, and answers that come later after the end, are given up, ms. */
  patienceMs: number;
  recorder: Recorder;
  sampler: Sampler;
  health: GeneratorHealth;
  /** Called about once per second with the number of users. */
  onSecond: (nowMs: number, users: number) => void;
  /** Called at every failure of a connection that is not the generator's own. */
  onBrokenConnection: () => void;
  /** Measures the reference service while the service is held still; left out where nobody asks for it. */
  takeTurn?: TakeTurn;
}

/** A phase that ran, seconds since the start of the test. */
export interface PhaseSpan {
  label: string;
  fromS: number;
  toS: number;
  /** Right answers per second while it ran; left out of the search for the knee. */
  rate?: number;
}

export interface EngineRun {
  phases: PhaseSpan[];
  /** How long the counted part took. */
  countedSeconds: number;
  knee: Knee | undefined;
}
