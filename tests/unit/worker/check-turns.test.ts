import { setImmediate as settled } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { makeCheckTurns } from '../../../src/worker/check-turns.ts';
import { makeSlots } from '../../../src/worker/slots.ts';
import type { Slots } from '../../../src/worker/slots.ts';

const never = new AbortController().signal;

/** A grading that goes on until it is told to end. */
function held() {
  let end: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let begun = false;
  return {
    work: async () => {
      begun = true;
      await ended;
    },
    end: () => end?.(),
    hasBegun: () => begun,
  };
}

function turnsOf(slots: Slots, waiting: { submissions: boolean }) {
  return makeCheckTurns({
    slots,
    submissionsWait: () => Promise.resolve(waiting.submissions),
    askAgainMs: 1,
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await settled();
  }
}

it('shares one slot among the gradings of a check', async () => {
  const slots = makeSlots(1);
  const inTurn = turnsOf(slots, { submissions: false });
  const [one, two] = [held(), held()];
  const both = [inTurn(one.work, never), inTurn(two.work, never)];
  await until(() => one.hasBegun() && two.hasBegun());
  const other = slots.take(never);
  let taken = false;
  void other.then(() => {
    taken = true;
  });
  one.end();
  await both[0];
  expect(taken).toBe(false);

  two.end();
  await other;
});

it('begins nothing while a submission waits, and goes on when none does', async () => {
  const slots = makeSlots(1);
  const waiting = { submissions: false };
  const inTurn = turnsOf(slots, waiting);
  const [one, two] = [held(), held()];
  const first = inTurn(one.work, never);
  await until(one.hasBegun);
  waiting.submissions = true;
  const second = inTurn(two.work, never);
  const submission = slots.take(never);
  one.end();
  await first;
  const leave = await submission;
  waiting.submissions = false;
  // The submission is at work now: it has the slot.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(two.hasBegun()).toBe(false);

  leave();
  two.end();
  await second;
  expect(two.hasBegun()).toBe(true);
});

it('ends while it waits, and leaves the slot to others', async () => {
  const slots = makeSlots(1);
  const waiting = { submissions: false };
  const inTurn = turnsOf(slots, waiting);
  const leave = await slots.take(never);
  const canceled = new AbortController();
  const turn = inTurn(held().work, canceled.signal);
  const rejected = expect(turn).rejects.toThrow('canceled');
  await settled();
  canceled.abort(new Error('canceled'));
  await rejected;
  leave();

  (await slots.take(never))();
  await inTurn(() => Promise.resolve(), never);
});
