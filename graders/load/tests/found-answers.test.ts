import { expect, test } from 'vitest';
import { FoundAnswers, whenDated } from '../found-answers.ts';

function dated(
  sinceMs: number | undefined,
  readMs: number,
  sentMs: readonly number[],
): (number | undefined)[] {
  const answers = new FoundAnswers();
  answers.look(sinceMs);
  const came: (number | undefined)[] = sentMs.map(() => undefined);
  for (const [index, sent] of sentMs.entries()) {
    whenDated(
      answers.add(readMs + index, sent, () => {}),
      (ms) => (came[index] = ms),
    );
  }
  answers.settle();
  return came;
}

test('one came halfway between two looks', () => {
  expect(dated(100, 110, [0])).toEqual([105]);
});

test('several came one after the other, whatever it took to read them', () => {
  expect(dated(100, 110, [0, 0, 0, 0])).toEqual([102, 104, 106, 108]);
});

test('none came before its request was sent, nor before those that were asked for sooner', () => {
  expect(dated(100, 110, [0, 108, 0])).toEqual([102.5, 109, 105]);
});

test('one whose request was sent while the others were read came with its sending at the soonest', () => {
  expect(dated(100, 110, [0, 112])).toEqual([expect.closeTo(100 + 10 / 3, 6), 112]);
});

test('where nobody looked it came as it was read', () => {
  expect(dated(undefined, 110, [0, 0])).toEqual([110, 111]);
});

test('between looks that follow each other at once it is dated without waiting for the others', () => {
  const answers = new FoundAnswers();
  answers.look(100);
  expect(answers.add(100.05, 0, () => {})).toMatchObject({ dated: true, cameMs: 100.025 });
});

test('what one look found says nothing about the next', () => {
  const answers = new FoundAnswers();
  answers.look(100);
  answers.add(110, 0, () => {});
  answers.settle();
  answers.look(110);
  const seen: number[] = [];
  whenDated(
    answers.add(120, 0, () => {}),
    (ms) => seen.push(ms),
  );
  answers.settle();
  answers.settle();
  expect(seen).toEqual([115]);
});
