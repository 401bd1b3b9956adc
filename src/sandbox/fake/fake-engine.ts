import { InfraError } from '../../domain/errors.ts';
import { LogSink } from '../docker/log-capture.ts';
import type { BuildOutcome, BuildPlan, EngineFacts, SandboxEngine } from '../sandbox-engine.ts';
import { type FakeHost, FakePod } from './fake-pod.ts';
import type { FakeScript } from './fake-script.ts';

export interface FakeEngine extends SandboxEngine {
  /** Pods that were opened and not destroyed; 0 at the end of a test that cleans up. */
  readonly openPods: number;
}

const FACTS: EngineFacts = {
  engine: 'fake',
  version: '1',
  apiVersion: '1',
  runtime: 'fake',
  storageDriver: 'none',
  cgroupVersion: 'none',
  kernel: 'none',
  os: 'none',
  architecture: 'none',
  cpus: 2,
  memoryBytes: 4 * 1024 ** 3,
};

/** A sandbox without an engine: candidates and graders are scripts, and everything takes milliseconds. */
export function makeFakeEngine(script: FakeScript = {}): FakeEngine {
  const host: FakeHost = {};
  const pods = new Set<FakePod>();
  let closed = false;
  return {
    get openPods() {
      return pods.size;
    },
    facts: () => Promise.resolve(FACTS),
    image: (name) => Promise.resolve(`sha256:${name}`),
    foreignImage: (reference) =>
      Promise.resolve(
        script.images?.[reference] && { id: `sha256:${reference}`, volumes: script.images[reference] },
      ),
    build: async (plan, signal) => {
      signal.throwIfAborted();
      return (await script.build?.(plan, signal)) ?? built(plan);
    },
    openPod: async (_spec, signal) => {
      signal.throwIfAborted();
      if (closed) {
        throw new InfraError('SANDBOX_USE', 'a pod was asked of a closed engine');
      }
      await Promise.resolve(script.onCall?.('openPod'));
      const pod: FakePod = new FakePod(script, host, () => pods.delete(pod));
      pods.add(pod);
      return pod;
    },
    sweep: () => Promise.resolve({ removed: [], left: [] }),
    close: async () => {
      closed = true;
      await Promise.all([...pods].map((pod) => pod.destroy()));
    },
  };
}

function built(plan: BuildPlan): BuildOutcome {
  return { ok: true, image: `sha256:${plan.key}`, cached: false, log: new LogSink().capture(), wallMs: 0 };
}
