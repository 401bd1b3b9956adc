import { expect, it } from 'vitest';
import { makeStageGate } from '../../../src/grading/stage-gate.ts';

const never = new AbortController().signal;

/** Enters and notes it; the answer leaves again. */
function visitor(gate: ReturnType<typeof makeStageGate>, log: string[]) {
  return (name: string, alone: boolean, signal = never) =>
    gate.enter(alone, signal).then((leave) => {
      log.push(name);
      return leave;
    });
}

it('lets stages share, an exclusive one wait for them, and later ones wait for it once it has waited long', async () => {
  const log: string[] = [];
  let now = 0;
  const enter = visitor(makeStageGate({ elapsedMs: () => now }), log);
  const [first, second] = await Promise.all([enter('a', false), enter('b', false)]);
  const alone = enter('load', true);
  now = 60_000;
  const later = enter('c', false);
  first();
  first();
  await Promise.resolve();
  expect(log).toEqual(['a', 'b']);

  second();
  const leaveAlone = await alone;
  expect(log).toEqual(['a', 'b', 'load']);

  leaveAlone();
  (await later)();
  expect(log).toEqual(['a', 'b', 'load', 'c']);
});

it('lets others in beside those inside while an exclusive one has patience, and exclusive ones one by one', async () => {
  const log: string[] = [];
  let now = 0;
  const enter = visitor(makeStageGate({ elapsedMs: () => now }), log);
  const first = await enter('a', false);
  const loads = [enter('load 1', true), enter('load 2', true)];
  now = 59_000;
  const second = await enter('b', false);
  first();
  const third = await enter('c', false);
  second();
  third();
  const leaveOne = await loads[0];
  const later = enter('d', false);
  await Promise.resolve();
  expect(log).toEqual(['a', 'b', 'c', 'load 1']);

  leaveOne?.();
  (await loads[1])?.();
  (await later)();
  expect(log).toEqual(['a', 'b', 'c', 'load 1', 'load 2', 'd']);
});

it('forgets who gave up waiting', async () => {
  const log: string[] = [];
  const enter = visitor(makeStageGate(), log);
  const leave = await enter('a', false);
  const controller = new AbortController();
  const alone = enter('load', true, controller.signal);
  const later = enter('b', false);
  controller.abort(new Error('enough'));

  await expect(alone).rejects.toThrow('enough');
  (await later)();
  leave();
  expect(log).toEqual(['a', 'b']);
});
