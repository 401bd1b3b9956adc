import { setTimeout as delay } from 'node:timers/promises';
import { InfraError } from '../../domain/errors.ts';
import type {
  Candidate,
  CandidateSpec,
  GraderProcess,
  GraderSpec,
  Listener,
  Pod,
  ProbeResult,
  Sidecar,
  SidecarSpec,
} from '../sandbox-engine.ts';
import { FakeCandidate } from './fake-candidate.ts';
import { FakeGrader } from './fake-grader.ts';
import type { FakeListenOptions, FakeScript } from './fake-script.ts';
import { FakeSidecar } from './fake-sidecar.ts';

/** Which pod has the host for itself. One per engine. */
export interface FakeHost {
  holder?: FakePod | undefined;
}

const LOCK_RETRY_MS = 2;

/** A pod without containers. */
export class FakePod implements Pod {
  readonly #script: FakeScript;
  readonly #host: FakeHost;
  readonly #onDestroyed: () => void;
  readonly #candidates = new Set<FakeCandidate>();
  readonly #graders = new Set<FakeGrader>();
  readonly #sidecars = new Set<FakeSidecar>();
  #destroyed = false;

  constructor(script: FakeScript, host: FakeHost, onDestroyed: () => void) {
    this.#script = script;
    this.#host = host;
    this.#onDestroyed = onDestroyed;
  }

  async startCandidate(spec: CandidateSpec, signal: AbortSignal): Promise<Candidate> {
    this.#begin('startCandidate', signal);
    const candidate: FakeCandidate = new FakeCandidate(spec, this.#script, () => {
      this.#candidates.delete(candidate);
    });
    await candidate.start(signal);
    this.#candidates.add(candidate);
    return candidate;
  }

  async startSidecar(spec: SidecarSpec, signal: AbortSignal): Promise<Sidecar> {
    this.#begin('startSidecar', signal);
    const sidecar: FakeSidecar = new FakeSidecar(spec, this.#script, () => {
      this.#sidecars.delete(sidecar);
    });
    this.#sidecars.add(sidecar);
    try {
      await sidecar.ready(spec, signal);
    } catch (error) {
      await sidecar.remove();
      throw error;
    }
    return sidecar;
  }

  async startGrader(spec: GraderSpec, signal: AbortSignal): Promise<GraderProcess> {
    this.#begin('startGrader', signal);
    const grader = new FakeGrader(spec, this.#script);
    this.#graders.add(grader);
    return grader;
  }

  async ownHost(signal: AbortSignal): Promise<() => Promise<void>> {
    this.#begin('ownHost', signal);
    while (this.#host.holder !== undefined) {
      await delay(LOCK_RETRY_MS, undefined, { signal });
    }
    this.#host.holder = this;
    return () => Promise.resolve(this.#releaseHost());
  }

  #releaseHost(): void {
    if (this.#host.holder === this) {
      this.#host.holder = undefined;
    }
  }

  async probe(port: number, path: string, timeoutMs: number): Promise<ProbeResult> {
    this.#begin('probe');
    for (const candidate of this.#candidates) {
      const listener = candidate.listener(port);
      if (listener !== undefined) {
        return answer(listener, path, timeoutMs);
      }
    }
    return { kind: 'refused' };
  }

  listeners(): Promise<Listener[]> {
    return Promise.resolve([...this.#candidates].flatMap((candidate) => candidate.listeners()));
  }

  async countSockets(): Promise<number> {
    const listening = await this.listeners();
    return listening.length;
  }

  async destroy(): Promise<void> {
    this.#script.onCall?.('destroy');
    this.#destroyed = true;
    this.#releaseHost();
    await Promise.all([...this.#candidates].map((candidate) => candidate.remove()));
    await Promise.all([...this.#graders].map((grader) => grader.kill()));
    await Promise.all([...this.#sidecars].map((sidecar) => sidecar.remove()));
    this.#graders.clear();
    this.#onDestroyed();
  }

  #begin(
    call: 'startCandidate' | 'startSidecar' | 'startGrader' | 'probe' | 'ownHost',
    signal?: AbortSignal,
  ): void {
    signal?.throwIfAborted();
    if (this.#destroyed) {
      throw new InfraError('POD_LOST', 'the pod was destroyed');
    }
    this.#script.onCall?.(call);
  }
}

async function answer(
  listener: FakeListenOptions | 'never',
  path: string,
  timeoutMs: number,
): Promise<ProbeResult> {
  const given = listener === 'never' ? 'never' : (listener.answer?.(path) ?? 200);
  if (listener === 'never' || given === 'never') {
    await delay(timeoutMs);
    return { kind: 'timeout' };
  }
  if (given === 'close') {
    return { kind: 'bad-answer', detail: 'it closed the connection without an answer' };
  }
  return { kind: 'answered', address: listener.address === '::1' ? '::1' : '127.0.0.1', status: given };
}
