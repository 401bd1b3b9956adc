/**
 * Hands out runs to workers. A hint, never the truth: it may lose, repeat or delay; the store's lease decides.
 */
export interface GradingQueue {
  /** Adds a delivery; the same run and epoch is added once while it is known. Fails fast when the queue is away. */
  add(delivery: Delivery): Promise<void>;
  /** Places before this run, 0 = next; undefined when it is not waiting. */
  position(runId: string): Promise<number | undefined>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface Delivery {
  /** Version of this payload; a worker puts back what it does not know. */
  v: 1;
  runId: string;
  epoch: number;
}

/** Takes deliveries and works on them, `slots` at a time. */
export interface GradingConsumer {
  /** No new deliveries; those at work go on. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

/** `signal` aborts when the delivery was lost to another worker. */
export type DeliveryHandler = (delivery: Delivery, signal: AbortSignal) => Promise<void>;
