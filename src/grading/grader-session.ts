import type {
  Check,
  ControlReply,
  GraderEvent,
  GraderInput,
  Metric,
  Series,
  SpecError,
} from '../domain/grader-protocol.ts';
import { InfraError } from '../domain/errors.ts';
import type { ReferenceFigures, ReferenceTurn } from '../domain/load-result.ts';
import type { GraderProcess } from '../sandbox/sandbox-engine.ts';
import type { CandidateKeeper } from './candidate-keeper.ts';
import { readEvents } from './event-lines.ts';
import type { OnProgress } from './progress.ts';

/** A small file for reviewers. */
export interface Artifact {
  name: string;
  contentType: string;
  content: Buffer;
}

/** What a grader handed over. What arrived before it broke is kept. */
export interface GraderResult {
  checks: Check[];
  metrics: Metric[];
  series: Series[];
  artifacts: Artifact[];
  result: unknown;
  /** The grader said it could not measure properly, and why. */
  inconclusive: string | undefined;
  /** A file of the challenge turned out to be broken. */
  specError: SpecError | undefined;
  /** Why nothing came of the grader. That is ours, or of an author's grader the author's. */
  error: string | undefined;
  /** The error is not the grader's: the engine or a database failed, which is ours whoever wrote the grader. */
  ours: boolean;
}

export interface SessionOptions {
  input: GraderInput;
  keeper: Pick<CandidateKeeper, 'control'>;
  onProgress: OnProgress;
  /** How long past the input's deadline the host waits before it ends the grader, ms. */
  graceMs: number;
  /**
   * Holds the service still and has the reference show how much it can do; undefined when it could not. Left out for
   * graders that may not ask.
   */
  takeTurn?: () => Promise<ReferenceTurn | undefined>;
  /**
   * Ends the service and measures the reference in its place; undefined when it could not. Left out for graders that
   * may not ask for it. May be called more than once, and measures once.
   */
  measureReference?: () => Promise<ReferenceFigures | undefined>;
}

const NOTHING_RELATIVE = 'no limit of this stage is relative to the reference service';

/** Speaks the grader protocol to one grader until it is done, breaks, or passes its deadline. */
export async function runSession(
  grader: GraderProcess,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<GraderResult> {
  const result = emptyResult();
  let done = false;
  let late = false;
  function stop(): void {
    // Without its end the stream would be read for ever.
    grader.kill().catch(() => grader.stdout.destroy());
  }
  const timer = setTimeout(() => {
    late = true;
    stop();
  }, options.input.deadlineMs + options.graceMs);
  signal.addEventListener('abort', stop, { once: true });
  try {
    // What a grader that does not read it has to say, its end above all, tells more.
    await grader.send(JSON.stringify(options.input)).catch(() => undefined);
    for await (const event of readEvents(grader.stdout)) {
      done ||= await handle(event, result, grader, options, signal);
      if (done) {
        break;
      }
    }
  } catch (error) {
    result.error = error instanceof Error ? error.message : String(error);
    result.ours = error instanceof InfraError;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
  signal.throwIfAborted();
  if (late && !done) {
    result.error = `The grader did not end within ${options.input.deadlineMs + options.graceMs} ms.`;
  } else if (!done && result.error === undefined) {
    result.error = `The grader ended without saying it was done. ${(await grader.exit()).message}`;
  }
  return result;
}

/** Answers true at the `done` event. */
async function handle(
  event: GraderEvent,
  result: GraderResult,
  grader: GraderProcess,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { input, onProgress } = options;
  switch (event.event) {
    case 'check':
      result.checks.push(event.check);
      onProgress({ kind: 'check', stage: input.stage, check: event.check });
      return false;
    case 'metric':
      result.metrics.push(event.metric);
      return false;
    case 'result':
      result.result = event.result;
      return false;
    case 'progress':
      onProgress({
        kind: 'progress',
        stage: input.stage,
        done: event.done,
        total: event.total,
        label: event.label,
      });
      return false;
    case 'series':
      result.series.push(event.series);
      return false;
    case 'artifact':
      keepArtifact(event, result.artifacts);
      return false;
    case 'control':
      await answer(event, grader, options, signal);
      return false;
    case 'done':
      result.inconclusive = event.inconclusive;
      result.specError = event.specError;
      return true;
  }
}

function keepArtifact(event: Extract<GraderEvent, { event: 'artifact' }>, artifacts: Artifact[]): void {
  const content = Buffer.from(event.base64, 'base64');
  const begun = artifacts.find((artifact) => artifact.name === event.name);
  if (!begun) {
    artifacts.push({ name: event.name, contentType: event.contentType, content });
  } else {
    begun.content = event.append === true ? Buffer.concat([begun.content, content]) : content;
  }
}

/** A reading of the meters must not hold up the events behind it; every other request is carried out in order. */
async function answer(
  event: Extract<GraderEvent, { event: 'control' }>,
  grader: GraderProcess,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<void> {
  const reply = carryOut(event, options, signal)
    // A grader that has given up waiting and gone cannot take its answer; what it said on its way out still counts.
    .then(async (value) => await grader.send(JSON.stringify(value)).catch(() => undefined));
  if (event.action === 'stats') {
    reply.catch(() => undefined);
    return;
  }
  await reply;
}

async function carryOut(
  { id, action, graceMs }: Extract<GraderEvent, { event: 'control' }>,
  { keeper, takeTurn, measureReference }: SessionOptions,
  signal: AbortSignal,
): Promise<ControlReply> {
  if (action !== 'reference' && action !== 'reference-turn') {
    return await keeper.control(id, action, graceMs, signal);
  }
  if (action === 'reference-turn') {
    return takeTurn ? toReply(id, 'turn', await takeTurn()) : { id, ok: false, error: NOTHING_RELATIVE };
  }
  return measureReference
    ? toReply(id, 'reference', await measureReference())
    : { id, ok: false, error: NOTHING_RELATIVE };
}

function toReply<K extends 'turn' | 'reference'>(id: string, key: K, value: ControlReply[K]): ControlReply {
  return value === undefined
    ? { id, ok: false, error: 'the reference service could not be measured' }
    : { id, ok: true, [key]: value };
}

/** A result with nothing in it yet. */
export function emptyResult(): GraderResult {
  return {
    checks: [],
    metrics: [],
    series: [],
    artifacts: [],
    result: undefined,
    inconclusive: undefined,
    specError: undefined,
    error: undefined,
    ours: false,
  };
}
