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
  const refresh = [queueGauges(registry, store), outcomeGauges(registry, store)];
  return {
    answered: ({ method, route, status, ms }) =>
      requests.observe({ method, route, status: String(status) }, ms / 1000),
    uploaded: (bytes) => uploads.inc(bytes),
    render: async () => {
      // First everything is read, then shown: gauges that share a question would else be one scrape behind.
      await Promise.all(refresh.map((read) => read()));
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

type Refresh = () => Promise<void>;

function queueGauges(registry: Registry, store: Store): Refresh {
  const registers = [registry];
  const runs = new Gauge({ name: 'assay_runs', help: 'Runs by state', labelNames: ['state'], registers });
  const oldest = new Gauge({
    name: 'assay_queue_oldest_seconds',
    help: 'How long the oldest queued run has waited',
    registers,
  });
  return async () => {
    const facts = await store.runs.queueFacts();
    for (const [state, count] of Object.entries(facts.counts)) {
      runs.set({ state }, count);
    }
    oldest.set((facts.oldestQueuedMs ?? 0) / 1000);
  };
}

/** Whole counts from the store rather than this process's own: any of several may be asked. */
function outcomeGauges(registry: Registry, store: Store): Refresh {
  const registers = [registry];
  const verdicts = new Gauge({
    name: 'assay_verdicts',
    help: 'Completed gradings by verdict',
    labelNames: ['verdict'],
    registers,
  });
  const failures = new Gauge({
    name: 'assay_failures',
    help: 'Gradings that ended with a failure, by whose it is',
    labelNames: ['blame'],
    registers,
  });
  const stageRuns = new Gauge({
    name: 'assay_stage_runs',
    help: 'Stages of the runs that ended within the last hour',
    labelNames: ['stage'],
    registers,
  });
  const stageTimes = new Gauge({
    name: 'assay_stage_seconds',
    help: 'How long these stages took',
    labelNames: ['stage', 'quantile'],
    registers,
  });
  return async () => {
    const facts = await store.runs.outcomeFacts();
    stageRuns.reset();
    stageTimes.reset();
    for (const [verdict, count] of Object.entries(facts.verdicts)) {
      verdicts.set({ verdict }, count);
    }
    for (const [blame, count] of Object.entries(facts.failures)) {
      failures.set({ blame }, count);
    }
    for (const { stage, runs, p50Ms, p95Ms } of facts.stages) {
      stageRuns.set({ stage }, runs);
      stageTimes.set({ stage, quantile: '0.5' }, p50Ms / 1000);
      stageTimes.set({ stage, quantile: '0.95' }, p95Ms / 1000);
    }
  };
}
