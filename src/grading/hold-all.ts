import { setTimeout as delay } from 'node:timers/promises';
import { InfraError } from '../domain/errors.ts';
import type { Candidate } from '../sandbox/sandbox-engine.ts';

/** What can be held still. */
type Holdable = Pick<Candidate, 'running' | 'pause' | 'resume' | 'exit'>;

/** The engine knows of an end before we do, ms. */
const END_KNOWN_WITHIN_MS = 1000;

/**
 * Pauses what runs of `containers` for as long as `during` takes. What has ended, or ends meanwhile, is let be; what was
 * paused goes on in any case. Undefined, and nothing done, where one could not be paused. Throws what `during` throws,
 * and what the engine throws when one cannot go on.
 */
export async function holdAll<T>(
  containers: readonly Holdable[],
  during: () => Promise<T>,
): Promise<T | undefined> {
  const running = containers.filter((one) => one.running);
  const paused = await Promise.all(running.map(async (one) => await tryPause(one)));
  try {
    return paused.includes('failed') ? undefined : await during();
  } finally {
    await Promise.all(running.map(async (one, index) => await resume(one, paused[index])));
  }
}

type Pausing = 'paused' | 'ended' | 'failed';

async function tryPause(one: Holdable): Promise<Pausing> {
  try {
    await one.pause();
    return 'paused';
  } catch {
    return (await hasEnded(one)) ? 'ended' : 'failed';
  }
}

/** Also what could not be paused: perhaps it was after all, only too late for an answer. */
async function resume(one: Holdable, pausing: Pausing | undefined): Promise<void> {
  if (pausing === 'ended') {
    return;
  }
  try {
    await one.resume();
  } catch (error) {
    const wasNotPaused = pausing === 'failed' && error instanceof InfraError && error.code === 'ENGINE_ERROR';
    if (!wasNotPaused && !(await hasEnded(one))) {
      throw error;
    }
  }
}

/** The engine refuses to act on what has just ended. */
async function hasEnded(one: Holdable): Promise<boolean> {
  const late = new AbortController();
  const soon = delay(END_KNOWN_WITHIN_MS, undefined, { signal: late.signal }).catch(() => undefined);
  await Promise.race([one.exit().catch(() => undefined), soon]);
  late.abort();
  return !one.running;
}
