import { isDoing, isIgnoring } from '../../../domain/mutation.ts';
import type { AnswerChange, Change, DoingChange, IgnoringChange } from '../../../domain/mutation.ts';
import { placeText } from './json-fields.ts';

/** What is wrong with a service that has this fault, and what would notice it: one sentence each. */
export function wordsFor(change: Change): { about: string; advice: string } {
  if (isIgnoring(change)) {
    return ignoredWords(change);
  }
  if (isDoing(change)) {
    return doingWords(change);
  }
  return 'at' in change ? placeWords(change) : answerWords(change);
}

function answerWords(change: Exclude<AnswerChange, { at: string[] }>): ReturnType<typeof words> {
  switch (change.operator) {
    case 'change-status':
      return words(`answers ${change.status} instead`, 'Expect the exact status.');
    case 'drop-header':
      return words(
        `does not send the header "${change.name}"`,
        `Expect the header "${change.name}" wherever the contract promises it.`,
      );
    case 'change-header':
      return words(
        `sends another value in the header "${change.name}"`,
        `Expect the value of "${change.name}", not only that it is there.`,
      );
    case 'wrong-content-type':
      return words('says Content-Type: text/html', 'Expect the header "content-type" of this answer.');
    case 'empty-body':
      return words('answers with an empty body', 'Expect something of the body.');
  }
}

function doingWords(change: DoingChange): ReturnType<typeof words> {
  switch (change.operator) {
    case 'delay':
      return words(
        `takes ${change.ms} ms longer`,
        'Expect the answer `within` a time that the contract promises.',
      );
    case 'duplicate':
      return words('does the write twice', 'After the write, read back how many there are.');
    case 'swallow-write':
      return words(
        'acknowledges a write and does not do it',
        'Read back, after the answer, what a later write has changed.',
      );
    case 'stale-read':
      return words(
        'answers with what it read before',
        'Read the same thing before and after a change to it.',
      );
    case 'lose-concurrent-write':
      return words(
        'loses one of simultaneous writes',
        'Send the write in `parallel`, then count or read back every one.',
      );
  }
}

function words(about: string, advice: string): { about: string; advice: string } {
  return { about, advice };
}

function ignoredWords({ operator, name }: IgnoringChange): ReturnType<typeof words> {
  if (operator === 'ignore-header') {
    return words(
      `ignores the request header "${name}"`,
      `Send "${name}" where the answer must depend on it.`,
    );
  }
  return operator === 'ignore-query'
    ? words(`ignores the query parameter "${name}"`, `Expect an answer that "${name}" makes different.`)
    : words(`ignores the member "${name}" of the body`, `Expect an effect that only "${name}" can have.`);
}

function placeWords({ operator, at }: Extract<AnswerChange, { at: string[] }>): ReturnType<typeof words> {
  const place = at.length === 0 ? 'the body' : `"${placeText(at)}"`;
  switch (operator) {
    case 'drop-field':
      return words(`leaves out ${place}`, `Expect ${place} to be there.`);
    case 'change-value':
      return words(
        `gives another value for ${place}`,
        `Expect the value of ${place}, from what the check has sent or seen.`,
      );
    case 'change-type':
      return words(`gives ${place} with another type`, `Expect the type of ${place}.`);
    case 'add-field':
      return words(`puts an undocumented member into ${place}`, `Expect ${place} exactly, without $partial.`);
    case 'reorder-list':
      return words(`gives ${place} in reverse order`, `Expect the order of ${place}.`);
    case 'truncate-list':
      return words(
        `leaves out the last element of ${place}`,
        `Expect all elements of ${place}, or their number.`,
      );
  }
}
