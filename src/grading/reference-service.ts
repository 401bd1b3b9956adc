import { createInterface } from 'node:readline';
import { z } from 'zod';
import { InfraError } from '../domain/errors.ts';
import { ReferenceTurnSchema } from '../domain/load-result.ts';
import type { ReferenceTurn } from '../domain/load-result.ts';
import type { GraderProcess } from '../sandbox/sandbox-engine.ts';
import { abortable } from '../shared/abortable.ts';
import { withDeadline } from '../shared/with-deadline.ts';
import { serviceCpuset } from './start-grader.ts';
import type { GraderContext } from './start-grader.ts';
import type { StagePlan } from './stages/stage-plan.ts';

const COMMAND = ['node', '/reference/server.mjs'];
const MEMORY_BYTES = 256 * 1024 ** 2;
const PIDS = 64;
const FILES = 1024;
/** From the start of its container to its first answer, and from any other request to its answer, ms. */
const ANSWERS_WITHIN_MS = 20_000;
/** Its compiler learns at the ends of turns above all: many short ones warm it up sooner than a long one. */
const WARM_UP_TURNS = 16;
const WARM_UP_PART = 1 / 3;
/** Long enough for a thousand requests, short beside what is measured between two turns, ms. */
const TURN_MS = 150;
/** With less than a CPU it gets its time in portions, one in each 0.1 s: some of them. */
const PART_TURN_MS = 500;

/** With a small share of a CPU a short turn may come to nothing. */
const WarmUpAnswerSchema = ReferenceTurnSchema.extend({ requestsPerSecond: z.number() });
const REFERENCE_FAILED = 'REFERENCE_FAILED';
const ListenAnswerSchema = z.object({ ok: z.literal(true) });

/**
 * The reference service of one task, on the CPUs of the submission and with its share of them. It does nothing but what
 * it is told, one thing at a time (docker/reference/server.mjs has the protocol). Every method throws InfraError
 * `REFERENCE_FAILED` when it does not answer, and the signal's reason.
 */
export class ReferenceService {
  readonly #process: Promise<GraderProcess>;
  readonly #turnMs: number;
  #lines: AsyncIterator<string> | undefined;

  /**
   * Begins to start its container, to live for `wallMs` at the most. What it is told first waits for that, and throws
   * what `Pod.startGrader` throws.
   */
  static start(
    plan: Pick<StagePlan, 'exclusive'>,
    context: Pick<GraderContext, 'engine' | 'pod' | 'service' | 'cpus'>,
    wallMs: number,
    signal: AbortSignal,
  ): ReferenceService {
    const turnMs = context.service.limits.cpus < 1 ? PART_TURN_MS : TURN_MS;
    return new ReferenceService(startProcess(plan, context, wallMs, signal), turnMs);
  }

  private constructor(process: Promise<GraderProcess>, turnMs: number) {
    this.#process = process;
    this.#turnMs = turnMs;
    process.catch(() => undefined);
  }

  /** Answers requests on 127.0.0.1 from now on. */
  async listen(port: number, signal: AbortSignal): Promise<void> {
    await this.#tell({ listen: port }, ListenAnswerSchema, signal);
  }

  /** Gives the port back. */
  async rest(signal: AbortSignal): Promise<void> {
    await this.#tell({ listen: null }, ListenAnswerSchema, signal);
  }

  /** Before the first of some turns: takes about a second of the CPU. */
  async warmUp(signal: AbortSignal): Promise<void> {
    for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) {
      const turnMs = Math.round(this.#turnMs * WARM_UP_PART);
      await this.#tell({ turnMs }, WarmUpAnswerSchema, signal);
    }
  }

  /** How much it can do now: it asks itself, over a socket that is out of the submission's reach. */
  async turn(signal: AbortSignal): Promise<ReferenceTurn> {
    return await this.#tell({ turnMs: this.#turnMs }, ReferenceTurnSchema, signal);
  }

  /** May be called at any time. */
  async end(): Promise<void> {
    const process = await this.#process.catch(() => undefined);
    await process?.kill();
  }

  async #tell<T>(what: object, answer: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const process = await this.#process;
    this.#lines ??= createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    const inTime = withDeadline(signal, ANSWERS_WITHIN_MS);
    // One that has gone is told from its missing answer, and its log says why.
    await abortable(process.send(JSON.stringify(what)), inTime).catch(() => undefined);
    const next = await abortable(this.#lines.next(), inTime).catch(() => undefined);
    signal.throwIfAborted();
    const line = next?.done === false ? next.value : undefined;
    const parsed = line === undefined ? undefined : answer.safeParse(parseJson(line));
    if (!parsed?.success) {
      const why = line === undefined ? 'did not answer' : `answered "${line.slice(0, 120)}"`;
      const log = process.stderr().text.slice(-500);
      throw new InfraError(REFERENCE_FAILED, `the reference service ${why}. ${log}`.trimEnd());
    }
    return parsed.data;
  }
}

/** The reference itself failed, not the engine. */
export function isReferenceFailure(error: unknown): boolean {
  return error instanceof InfraError && error.code === REFERENCE_FAILED;
}

async function startProcess(
  plan: Pick<StagePlan, 'exclusive'>,
  context: Pick<GraderContext, 'engine' | 'pod' | 'service' | 'cpus'>,
  wallMs: number,
  signal: AbortSignal,
): Promise<GraderProcess> {
  const { engine, pod, service } = context;
  const image = await engine.image('reference', signal);
  const limits = { cpus: service.limits.cpus, memoryBytes: MEMORY_BYTES, pids: PIDS, files: FILES, wallMs };
  const cpuset = serviceCpuset(plan, context);
  return await pod.startGrader({ image, command: COMMAND, limits, ...cpuset }, signal);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
