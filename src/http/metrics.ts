import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Store } from '../store/store.ts';

export interface HttpMetrics {
  answered(answer: { method: string; route: string; status: number; ms: number }): void;
  uploaded(bytes: number): void;
  /** The text that Prometheus reads. */
  render(): Promise<{ contentType: string; text: string }>;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

/** Counts of this process, and gauges that are read from the store when somebody asks. */
export function makeMetrics(store: Store): HttpMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'assay_process_' });
  const requests = new Histogram({
    name: 'assay_http_request_seconds',
    help: 'Time from request to answer',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  });
  const uploads = new Counter({
    name: 'assay_upload_bytes_total',
    help: 'Bytes of uploads taken',
    registers,
  });
  addQueueGauges(registry, store);
  return {
    answered: ({ method, route, status, ms }) =>
      requests.observe({ method, route, status: String(status) }, ms / 1000),
    uploaded: (bytes) => uploads.inc(bytes),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function addQueueGauges(registry: Registry, store: Store): void {
  const registers = [registry];
  const runs = new Gauge({ name: 'assay_runs', help: 'Runs by state', labelNames: ['state'], registers });
  const oldest = new Gauge({
    name: 'assay_queue_oldest_seconds',
    help: 'How long the oldest queued run has waited',
    registers,
    collect: async () => {
      const facts = await store.runs.queueFacts();
      for (const [state, count] of Object.entries(facts.counts)) {
        runs.set({ state }, count);
      }
      oldest.set((facts.oldestQueuedMs ?? 0) / 1000);
    },
  });
}
