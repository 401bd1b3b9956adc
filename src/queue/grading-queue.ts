import type { RunKind } from '../domain/run.ts';

/**
 * Hands out runs to workers. A hint, never the truth: it may lose, repeat or delay; the store's lease decides.
 */
export interface GradingQueue {
  /** Adds a delivery; the same run and epoch is added once while it is known. Fails fast when the queue is away. */
  add(delivery: Delivery): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface Delivery {
  /** Version of this payload; a worker puts back what it does not know. */
  v: 1;
  runId: string;
  epoch: number;
  /** Checks of challenges stand in a line of their own. */
  kind: RunKind;
}

/** Takes deliveries and works on them: `slots` gradings at a time, and beside them one check of a challenge. */
export interface GradingConsumer {
  /** Begins to take deliveries. */
  start(): void;
  /** No new deliveries; those at work go on. */
  pause(): Promise<void>;
  resume(): void;
  close(): Promise<void>;
}

/**
 * `signal` aborts when the queue no longer counts the delivery as this worker's: ask the store who has the run.
 * `put-back` leaves a delivery that came while the worker paused to another one.
 */
export type DeliveryHandler = (delivery: Delivery, signal: AbortSignal) => Promise<void | 'put-back'>;
