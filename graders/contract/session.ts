import { createHash } from 'node:crypto';
import type { ContractKind, ContractOperation, ContractPlan } from '../../src/domain/contract-plan.ts';
import type { Exchange, GraderInput } from '../../src/domain/grader-protocol.ts';
import { baseUrl } from '../api/build-request.ts';
import { exchange } from '../api/http-client.ts';
import { headerOf, isConnectionFailure } from '../api/http-types.ts';
import type { HttpOutcome, HttpRequest } from '../api/http-types.ts';
import { parseJson } from '../api/parse-json.ts';
import type { ServiceControl } from '../api/service-control.ts';
import { toExchange } from '../api/trail.ts';
import { defaultHeaders } from '../shared/default-headers.ts';
import type { HeaderSet } from '../shared/default-headers.ts';
import { baseHeaders, buildRequest } from './build-request.ts';
import type { BuiltRequest } from './build-request.ts';
import { documentedFor } from './judge.ts';
import { isValid } from './request-case.ts';
import type { RequestCase } from './request-case.ts';
import { Resources } from './resources.ts';
import { SchemaSet } from './schema-set.ts';

const LIMITS = {
  connectTimeoutMs: 5000,
  timeoutMs: 10_000,
  maxBodyBytes: 1024 * 1024,
  decompress: false,
};

/** A request that was sent, with what came of it. */
export interface Sent extends BuiltRequest {
  operation: ContractOperation;
  outcome: HttpOutcome;
  /** What became of a service that ended over it. */
  note: string | undefined;
}

/** Why a check was lost. */
export interface Loss {
  message: string;
  expected: string;
  actual: string;
  exchanges: Exchange[];
}

/** What a whole contract run shares: the service, what is known of it, what was found so far. */
export class Session {
  readonly plan: ContractPlan;
  readonly seed: string;
  readonly requests: SchemaSet;
  readonly responses: SchemaSet;
  readonly resources: Resources;
  readonly service: ServiceControl;
  readonly losses = new Map<string, Loss>();
  /** Checks that at least one answer spoke to. */
  readonly asked = new Set<string>();
  /** Checks that everything was sent for. */
  readonly completed = new Set<string>();
  /** By operation: a valid request that the service has accepted, the first. */
  readonly accepted = new Map<string, RequestCase>();
  sent = 0;
  /** Spent waiting for answers, ms. */
  exchangeMs = 0;
  /** Operations that gave no answer, with the reason: nothing more is sent to them. */
  readonly #mute = new Map<string, string>();
  readonly #target: GraderInput['target'];
  readonly #defaults: HeaderSet;
  readonly #graded: ReadonlySet<string>;
  readonly #began = performance.now();
  readonly #signal: AbortSignal;

  constructor(input: GraderInput, plan: ContractPlan, service: ServiceControl, signal: AbortSignal) {
    this.plan = plan;
    this.seed = input.seed;
    this.#target = input.target;
    this.#defaults = defaultHeaders(input.seed, 0);
    this.#signal = signal;
    this.service = service;
    this.requests = new SchemaSet(plan.requestDefs);
    this.responses = new SchemaSet(plan.responseDefs);
    this.resources = new Resources(plan.operations);
    this.#graded = new Set(plan.checks.map(({ id }) => id));
  }

  /** Nothing more can be sent. */
  get over(): boolean {
    return this.#signal.aborted || this.service.blocked !== undefined;
  }

  /** Why nothing more is sent to an operation, or undefined. */
  muted(operation: ContractOperation): string | undefined {
    return this.#mute.get(operation.id);
  }

  /** Only what every check needs is still sent. */
  get spent(): boolean {
    const { requests, timeMs } = this.plan.budget;
    return this.sent >= requests || performance.now() - this.#began >= timeMs;
  }

  /** Sends one case and learns from the answer; undefined when it cannot be put as a request. */
  async send(
    operation: ContractOperation,
    made: RequestCase,
    headers: Record<string, string> = this.plan.headers,
  ): Promise<Sent | undefined> {
    const built = buildRequest(operation, made, {
      port: this.#target.port,
      defaults: this.#defaults,
      headers,
      operations: this.plan.operations,
      resources: this.resources,
    });
    const sent = built && (await this.sendBuilt(operation, built));
    const status = sent?.outcome.response?.status;
    if (
      status !== undefined &&
      status < 300 &&
      !this.accepted.has(operation.id) &&
      isValid(operation, made, this.requests)
    ) {
      this.accepted.set(operation.id, made);
    }
    return sent;
  }

  /** Sends a request as it is. */
  async sendBuilt(operation: ContractOperation, built: BuiltRequest): Promise<Sent> {
    this.sent += 1;
    const outcome = await exchange(
      built.request,
      { kind: 'new', target: this.#target },
      LIMITS,
      this.#signal,
    );
    this.exchangeMs += outcome.durationMs;
    if (!outcome.response) {
      const what = `${operation.method} ${operation.path} gave no answer (${outcome.failure?.kind ?? 'none'})`;
      this.#mute.set(operation.id, what);
    }
    const note = isConnectionFailure(outcome) ? (await this.service.recover()).note : undefined;
    const sent = { ...built, operation, outcome, note };
    this.#learn(sent);
    return sent;
  }

  /** Sends a method to a path, without anything else. */
  async sendBare(operation: ContractOperation, method: string, path: string): Promise<Sent> {
    const headers = baseHeaders(this.#target.port, this.#defaults, this.plan.headers);
    const length: [string, string][] = ['POST', 'PUT', 'PATCH'].includes(method)
      ? [['content-length', '0']]
      : [];
    const request = { method, path, headers: [...headers.values(), ...length], body: undefined };
    return await this.sendBuilt({ ...operation, method }, { request, path: {}, query: {}, known: false });
  }

  /** Whether a check is still open: part of the plan, and not lost yet. */
  isOpen(operation: ContractOperation, kind: ContractKind): boolean {
    const id = checkId(operation, kind);
    return this.#graded.has(id) && !this.losses.has(id);
  }

  /** Notes that answers spoke to these checks. */
  ask(operation: ContractOperation, kinds: readonly ContractKind[]): void {
    for (const kind of kinds) {
      this.asked.add(checkId(operation, kind));
    }
  }

  /** Notes that everything was sent that these checks need, unless the operation fell silent before. */
  complete(operation: ContractOperation, kinds: readonly ContractKind[]): void {
    if (!this.over && this.muted(operation) === undefined) {
      kinds.forEach((kind) => this.completed.add(checkId(operation, kind)));
    }
  }

  /** Marks a check as lost; the first reason stays. */
  lose(
    operation: ContractOperation,
    { kind, message, expected, actual }: Omit<Loss, 'exchanges'> & { kind: ContractKind },
    sent: readonly Sent[],
  ): void {
    if (!this.isOpen(operation, kind)) {
      return;
    }
    const end = sent.at(-1)?.note;
    this.losses.set(checkId(operation, kind), {
      message: end === undefined ? message : `${message}. The service ended: ${end}`,
      expected,
      actual,
      exchanges: sent.map((one) => this.shown(one.request, one.outcome)),
    });
  }

  shown(request: HttpRequest, outcome: HttpOutcome): Exchange {
    return toExchange(request, outcome, baseUrl(this.#target));
  }

  #learn({ operation, outcome, path, query }: Sent): void {
    const { response } = outcome;
    if (!response || response.status >= 300) {
      return;
    }
    const parsed = parseJson(response.body);
    this.resources.learn({
      operation,
      documented: documentedFor(operation, response.status),
      status: response.status,
      path,
      query,
      location: response.status === 201 ? headerOf(response, 'location') : undefined,
      json: parsed.ok ? parsed.value : undefined,
      header: (name) => headerOf(response, name),
    });
  }
}

export function checkId(operation: ContractOperation, kind: ContractKind): string {
  return `contract/${operation.id}/${kind}`;
}

/** A seed of fast-check's kind from a text. */
export function seedOf(text: string): number {
  return createHash('sha256').update(text).digest().readInt32LE(0);
}
