import type { Sample } from '../../challenges/load-samples.ts';
import type { Challenge } from '../../domain/challenge.ts';
import { AssayError } from '../../domain/errors.ts';
import type { Report } from '../../domain/report.ts';
import { runPool } from '../../shared/run-pool.ts';
import { gradeSample } from '../grade-sample.ts';
import { makeStageGate } from '../stage-gate.ts';
import type { CheckDeps, InTurn, OnCheckProgress } from './check-types.ts';

/** One grading of one sample. References are graded several times, some of them in some stages only. */
export interface SampleTurn {
  sample: Sample;
  stages: readonly string[];
  /** From 1. */
  turn: number;
}

/** What a turn came to. Without a report the sample was refused before it ran; `differences` says why. */
export interface TurnOutcome extends SampleTurn {
  report: Report | undefined;
  differences: string[];
  /** The fault of ours for which it was graded a second time. */
  retried?: string;
}

/** The api stage finds races that show once in a while; the others take long. */
const API_REPEATS = 10;
const OTHER_REPEATS = 3;
/** Gradings mostly wait: for restarts, for time to pass. */
const SIDE_BY_SIDE = 2;

/** Every grading that a check of the challenge takes. The first turn of each sample has all stages. */
export function planTurns(
  samples: readonly Sample[],
  stages: readonly string[],
  repeat: Readonly<Record<string, number>>,
): SampleTurn[] {
  function repeats(stage: string): number {
    return repeat[stage] ?? (stage === 'api' ? API_REPEATS : OTHER_REPEATS);
  }
  const most = Math.max(1, ...stages.map(repeats));
  return samples.flatMap((sample) => {
    const turns = sample.reference ? Array.from({ length: most }, (_, index) => index + 1) : [1];
    return turns.map((turn) => ({
      sample,
      turn,
      stages: turn === 1 ? stages : stages.filter((stage) => turn <= repeats(stage)),
    }));
  });
}

/** Grades the samples, two at a time but for what needs the machine for itself. Rejects for an abort and our faults. */
export async function gradeTurns(
  challenge: Challenge,
  turns: readonly SampleTurn[],
  seed: string,
  deps: CheckDeps,
  onProgress: OnCheckProgress,
  signal: AbortSignal,
): Promise<TurnOutcome[]> {
  const gate = deps.gate ?? makeStageGate();
  const inspect = onceEach(deps.inspect);
  const inTurn: InTurn = deps.inTurn ?? atOnce;
  let done = 0;
  onProgress({ kind: 'begin', part: 'gradings' });
  const outcomes = await runPool(turns, SIDE_BY_SIDE, async (turn) => {
    const outcome = await inTurn(
      () => gradeTurn(challenge, turn, seed, { ...deps, inspect, gate }, signal),
      signal,
    );
    signal.throwIfAborted();
    done += 1;
    const label = turn.turn > 1 ? `${turn.sample.name}, turn ${turn.turn}` : turn.sample.name;
    if (outcome.retried !== undefined) {
      onProgress({
        kind: 'finding',
        text: `${label} was graded again after a fault of ours: ${outcome.retried}`,
      });
    }
    for (const difference of outcome.differences) {
      onProgress({ kind: 'finding', text: `${label}: ${difference}` });
    }
    onProgress({ kind: 'step', part: 'gradings', done, total: turns.length, label });
    return outcome;
  });
  onProgress({ kind: 'end', part: 'gradings' });
  return outcomes;
}

/** The turns of a check that has the machine for itself. */
export function atOnce<T>(grading: () => Promise<T>): Promise<T> {
  return grading();
}

/** Every sample is read once, however often it is graded. */
function onceEach(inspect: CheckDeps['inspect']): CheckDeps['inspect'] {
  const known = new Map<string, ReturnType<CheckDeps['inspect']>>();
  return async (directory, signal) => {
    const reading = known.get(directory) ?? inspect(directory, signal);
    known.set(directory, reading);
    return await reading;
  };
}

async function gradeTurn(
  challenge: Challenge,
  turn: SampleTurn,
  seed: string,
  deps: CheckDeps,
  signal: AbortSignal,
): Promise<TurnOutcome> {
  const { sample, stages } = turn;
  const selection = { visibleOnly: false, stages };
  try {
    const submission = await deps.inspect(sample.directory, signal);
    const { report, differences, retried } = await gradeSample(
      challenge,
      sample,
      submission,
      { ...deps, onProgress: () => undefined },
      signal,
      { selection, seed: `${seed}/${sample.name}/${turn.turn}` },
    );
    return { ...turn, report, differences, ...(retried === undefined ? {} : { retried }) };
  } catch (error) {
    if (error instanceof AssayError && error.blame === 'candidate') {
      return { ...turn, report: undefined, differences: [`it is refused: ${error.message}`] };
    }
    throw error;
  }
}
