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

it('lets stages share, an exclusive one wait for them, and later ones wait for it', async () => {
  const log: string[] = [];
  const enter = visitor(makeStageGate(), log);
  const [first, second] = await Promise.all([enter('a', false), enter('b', false)]);
  const alone = enter('load', true);
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
