import type { RunIdentity } from '../sandbox-engine.ts';
import { EXPIRES_LABEL, POD_LABEL } from './host-config.ts';

/** Younger objects may belong to a pod whose pause is just being made. */
const GRACE_MS = 60_000;

/** A container or a volume of this installation, as the engine lists it. */
export interface LabelledObject {
  /** Id of a container, name of a volume. */
  id: string;
  labels: Readonly<Record<string, string>>;
  createdMs: number;
  /** The engine's word: created, running, paused, exited, dead …; undefined for volumes. */
  state?: string;
}

/**
 * Which objects belong to nobody any more. Pure; whose they were does not matter, only what the engine shows:
 * a pod is an orphan when its pause has exited; what names a pod without a running pause is one after a minute;
 * what belongs to no pod says itself when it expires, and without such a word is left alone while it runs.
 */
export function findOrphans(objects: readonly LabelledObject[], nowMs: number): LabelledObject[] {
  const pauses = objects.filter((object) => object.labels['assay.role'] === 'pause' && object.state);
  const living = new Set(pauses.filter((pause) => !hasEnded(pause)).map(podOf));
  const ended = new Set(pauses.filter(hasEnded).map(podOf));
  return objects.filter((object) => {
    const pod = podOf(object);
    const old = nowMs - object.createdMs > GRACE_MS;
    if (pod === undefined) {
      // Until then its maker may still measure or commit what has ended.
      return EXPIRES_LABEL in object.labels ? isExpired(object, nowMs) : old && hasEnded(object);
    }
    if (object.state === 'created' && object.labels['assay.role'] === 'pause') {
      // Made, and never started: its maker died in between.
      return old;
    }
    return ended.has(pod) || (old && !living.has(pod));
  });
}

/**
 * Which objects were made for a lease that is no more, such as those of a worker that was frozen and taken for dead.
 * Epoch 0 is no lease: the command line's runs and the self-test have it.
 */
export function findStale(
  objects: readonly LabelledObject[],
  live: readonly RunIdentity[],
  nowMs: number,
): LabelledObject[] {
  const alive = new Set(live.map(({ run, epoch }) => `${run} ${epoch}`));
  return objects.filter(({ labels, createdMs }) => {
    const run = labels['assay.run'] ?? '';
    const epoch = Number(labels['assay.epoch'] ?? 0);
    return run !== '' && epoch > 0 && !alive.has(`${run} ${epoch}`) && nowMs - createdMs > GRACE_MS;
  });
}

function podOf(object: LabelledObject): string | undefined {
  return object.labels[POD_LABEL];
}

function hasEnded(object: LabelledObject): boolean {
  return object.state === 'exited' || object.state === 'dead';
}

function isExpired(object: LabelledObject, nowMs: number): boolean {
  const expiresMs = Number(object.labels[EXPIRES_LABEL]);
  return Number.isFinite(expiresMs) && expiresMs < nowMs;
}
