import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * A thread that sleeps until a moment given in shared memory and then says so. It wakes within a tenth of a
 * millisecond or so, where the timers of the event loop round up to the next whole one, and costs nothing meanwhile.
 */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const turn = new Int32Array(workerData, 0, 1);
const due = new Float64Array(workerData, 8, 1);
function nowMs() { const [s, ns] = process.hrtime(); return s * 1e3 + ns / 1e6; }
let rung = 0;
for (;;) {
  const seen = Atomics.load(turn, 0);
  const leftMs = seen === rung ? Infinity : due[0] - nowMs();
  if (leftMs > 0) {
    Atomics.wait(turn, 0, seen, leftMs);
  } else {
    rung = seen;
    parentPort.postMessage(0);
  }
}`;
const SHARED_BYTES = 16;

/** An alarm clock finer than a timer: set it again and again, it rings once for the last time it was set. */
export class Alarm {
  onRing: () => void = () => undefined;
  readonly #turn: Int32Array;
  readonly #due: Float64Array;
  readonly #worker: Worker;
  /** From the clock of this thread to the one that all threads share, ms. */
  readonly #offsetMs: number;

  private constructor() {
    const shared = new SharedArrayBuffer(SHARED_BYTES);
    this.#turn = new Int32Array(shared, 0, 1);
    this.#due = new Float64Array(shared, 8, 1);
    const [seconds, nanoseconds] = process.hrtime();
    this.#offsetMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now();
    this.#worker = new Worker(THREAD, { eval: true, workerData: shared });
    this.#worker.on('message', () => this.onRing());
  }

  /** An alarm whose thread is up: its start takes tens of milliseconds of CPU time, which no measurement is to hold. */
  static async open(): Promise<Alarm> {
    const alarm = new Alarm();
    await once(alarm.#worker, 'online');
    return alarm;
  }

  /** Sets it for a moment of `performance.now()`, instead of the one before. It may ring for that one all the same. */
  set(dueMs: number): void {
    this.#due[0] = dueMs + this.#offsetMs;
    Atomics.add(this.#turn, 0, 1);
    Atomics.notify(this.#turn, 0);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
