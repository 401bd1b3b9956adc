import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { GUARD_DISMISSED, type GuardJob } from './guard.ts';

const GIVE_UP_MS = 120_000;
const PAUSE_MS = 500;

/** Reads its job, waits for the end of its input, and removes what the dead owner has left. */
async function main(): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: process.stdin })) {
    lines.push(line);
  }
  const [job, last] = lines;
  if (job !== undefined && last !== GUARD_DISMISSED) {
    await removeAll(JSON.parse(job) as GuardJob);
  }
}

/** Until two looks in a row find nothing: what the owner asked for last may still be being made. */
async function removeAll({ owner, address }: GuardJob): Promise<void> {
  // Loaded only now: most guards never need the engine, and their start must not cost a run its time.
  const [{ DockerClient }, { removeOwner }] = await Promise.all([
    import('./docker-client.ts'),
    import('./cleanup.ts'),
  ]);
  const client = new DockerClient(address);
  const untilMs = performance.now() + GIVE_UP_MS;
  let quietLooks = 0;
  while (quietLooks < 2 && performance.now() < untilMs) {
    try {
      const { removed, left } = await removeOwner(client, owner.install, owner.owner);
      quietLooks = removed.length + left.length === 0 ? quietLooks + 1 : 0;
    } catch {
      // The engine may be restarting; there is nobody to tell.
      quietLooks = 0;
    }
    await delay(PAUSE_MS);
  }
}

// Ctrl-C is for the owner; its end reaches us through the pipe.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
await main();
