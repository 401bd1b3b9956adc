import type { JsonValue } from '../../src/domain/json-value.ts';
import { makePrng } from '../shared/prng.ts';
import type { CompiledRequest, CompiledTask, UserKind } from './compile-plan.ts';
import type { FoundAnswer } from './found-answers.ts';
import { HttpConnection } from './http-connection.ts';
import type { ExchangeListener, FailureCause, Target } from './http-connection.ts';
import type { TemplateValues } from './request-template.ts';
import type { ResponseParser } from './response-parser.ts';

/** One ended exchange of a user. */
export interface UserExchange {
  request: CompiledRequest;
  intendedMs: number;
  /** Undefined when the request never left. */
  sentMs: number | undefined;
  endMs: number;
  counted: boolean;
  requestText: string;
  failure: string | undefined;
  /** Set when no response came. */
  cause: FailureCause | undefined;
  response: ResponseParser | undefined;
  /** That of the response; `endMs` holds until it is dated. */
  answer: FoundAnswer | undefined;
}

/** Who drives the users. */
export interface UserOwner {
  /** An answer is being read now, of a request sent at `sentMs`. */
  onAnswer(sentMs: number): FoundAnswer;
  /** Every exchange, before anything follows from it. */
  onExchange(user: VirtualUser, exchange: UserExchange): void;
  /** The user has done its onStart requests and can take a task. */
  onReady(user: VirtualUser): void;
  /** A task ended, or a step of it with more to come; `broken`: no response came. */
  onTaskEnd(user: VirtualUser, broken: boolean): void;
  /** The user has done its onStop requests and closed its connection. */
  onGone(user: VirtualUser): void;
}

/** `starting` and `stopping` run their requests · `busy` a task · `gone` for good. */
export type UserState = 'starting' | 'idle' | 'waiting' | 'busy' | 'stopping' | 'gone';

/** One user: its own connection, captures and random choices; one request at a time. */
export class VirtualUser implements ExchangeListener {
  readonly kind: UserKind;
  readonly values: TemplateValues;
  state: UserState = 'starting';
  /** When the exchange under way times out; Infinity when there is none. */
  deadlineMs = Infinity;
  /** Its onStart failed: it is tried again before the next task. */
  startFailed = false;
  /** Some exchange of this user has ended. */
  proven = false;
  /** When its last task began. */
  taskStartMs = 0;
  /** To be stopped as soon as its exchange ends. */
  retiring = false;

  readonly #owner: UserOwner;
  readonly #connection: HttpConnection;
  #script: readonly CompiledRequest[] = [];
  #scriptAt = 0;
  #steps: readonly CompiledRequest[] = [];
  #nextStep = 0;
  #request: CompiledRequest | undefined;
  #intendedMs: number | undefined;
  #sentMs: number | undefined;
  #counted = false;
  #text = '';

  constructor(kind: UserKind, seed: string, target: Target, owner: UserOwner) {
    this.kind = kind;
    this.values = { captures: new Map<string, JsonValue>(), prng: makePrng(seed) };
    this.#owner = owner;
    this.#connection = new HttpConnection(target, this);
  }

  /** Runs the onStart requests, then reports ready whether they went well or not. */
  start(counted: boolean): void {
    this.state = 'starting';
    this.startFailed = false;
    this.#counted = counted;
    this.#script = this.kind.onStart;
    this.#scriptAt = 0;
    this.#nextOfScript();
  }

  /** Begins a task that should have begun at `intendedMs`; undefined: with its sending. */
  runTask({ steps }: CompiledTask, intendedMs: number | undefined, counted: boolean): void {
    this.#steps = steps;
    this.#nextStep = 1;
    this.#runStep(steps[0], intendedMs, counted);
  }

  /** Its task has steps that are not begun. */
  get isMidway(): boolean {
    return this.#nextStep < this.#steps.length;
  }

  /** Begins the next step of its task. */
  runNextStep(counted: boolean): void {
    const step = this.#steps[this.#nextStep];
    this.#nextStep += 1;
    if (step) {
      this.#runStep(step, undefined, counted);
    }
  }

  /** What is left of its task is not begun. */
  breakOff(): void {
    this.#nextStep = this.#steps.length;
  }

  /** Runs the onStop requests, uncounted, closes the connection and reports gone. No exchange may be under way. */
  stop(): void {
    this.state = 'stopping';
    this.#counted = false;
    this.#script = this.kind.onStop;
    this.#scriptAt = 0;
    this.#nextOfScript();
  }

  /** Ends the exchange under way as failed. */
  abort(message: string): void {
    this.#connection.abort(message);
  }

  /** Closes the connection at once and says nothing more. */
  dispose(): void {
    this.state = 'gone';
    this.#request = undefined;
    this.deadlineMs = Infinity;
    this.#connection.close();
  }

  onResponse(response: ResponseParser): void {
    // Before the check of it, which takes its time as well.
    const answer = this.#owner.onAnswer(this.#sentMs ?? 0);
    const failure = this.#request?.check(response, this.values);
    this.#end(answer.cameMs, failure, undefined, { response, answer });
  }

  onFailure(message: string, cause: FailureCause): void {
    this.#end(performance.now(), message, cause);
  }

  #runStep(request: CompiledRequest, intendedMs: number | undefined, counted: boolean): void {
    this.state = 'busy';
    this.taskStartMs = intendedMs ?? performance.now();
    this.#send(request, intendedMs, counted);
  }

  #send(request: CompiledRequest, intendedMs: number | undefined, counted: boolean): void {
    this.#request = request;
    this.#intendedMs = intendedMs;
    this.#counted = counted;
    this.#sentMs = undefined;
    this.#text = '';
    const rendered = request.render(this.values);
    if ('missing' in rendered) {
      // Later, not now: the owner may hand over the next task at once, and that may fail the same way.
      setImmediate(() => {
        if (this.#request === request) {
          const message = `not sent: no earlier response gave "${rendered.missing}"`;
          this.#end(performance.now(), message, undefined);
        }
      });
      return;
    }
    this.#text = rendered.text;
    this.#sentMs = performance.now();
    this.deadlineMs = this.#sentMs + request.timeoutMs;
    this.#connection.send(rendered.text, request);
  }

  #end(
    endMs: number,
    failure: string | undefined,
    cause: FailureCause | undefined,
    found?: { response: ResponseParser; answer: FoundAnswer },
  ): void {
    const request = this.#request;
    if (!request) {
      return;
    }
    this.#request = undefined;
    this.deadlineMs = Infinity;
    const intendedMs = this.#intendedMs ?? this.#sentMs ?? endMs;
    this.#owner.onExchange(this, {
      request,
      intendedMs,
      sentMs: this.#sentMs,
      endMs,
      counted: this.#counted,
      requestText: this.#text,
      failure,
      cause,
      response: found?.response,
      answer: found?.answer,
    });
    this.proven = true;
    if (this.state === 'busy') {
      if (failure !== undefined) {
        // Later steps build on this one.
        this.breakOff();
      }
      this.#owner.onTaskEnd(this, cause !== undefined);
      return;
    }
    if (failure === undefined) {
      this.#nextOfScript();
    } else {
      this.startFailed ||= this.state === 'starting';
      this.#endScript();
    }
  }

  #nextOfScript(): void {
    const request = this.#script[this.#scriptAt];
    this.#scriptAt += 1;
    if (request) {
      this.#send(request, undefined, this.#counted);
    } else {
      this.#endScript();
    }
  }

  #endScript(): void {
    if (this.state === 'stopping') {
      this.dispose();
      this.#owner.onGone(this);
    } else {
      this.#owner.onReady(this);
    }
  }
}
