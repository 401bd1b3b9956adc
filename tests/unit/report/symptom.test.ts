import { expect, it } from 'vitest';
import type { Exchange } from '../../../src/domain/grader-protocol.ts';
import { symptomOf } from '../../../src/report/symptom.ts';
import { makeCheck, makeExchange, makeFailed } from '../../helpers/report-fixtures.ts';

function answered(status: number): Exchange {
  return makeExchange('POST', '/links', '{}', { status });
}

it.each([
  [500, '400', 'server-error'],
  [503, '2xx', 'server-error'],
  [201, '400 or 422', 'accepted-invalid'],
  [302, '4xx', 'accepted-invalid'],
  [400, '201', 'rejected-valid'],
  [404, '301 or 302', 'not-found'],
  [404, '410', 'wrong-status'],
  [200, '201', 'wrong-status'],
  [422, '200-299', 'rejected-valid'],
])('status %d where %s was expected is %s', (status, expected, symptom) => {
  const detail = {
    message: `expected status ${expected}, got ${status}`,
    at: 'steps[0].expect.status',
    expected,
  };

  expect(symptomOf(makeFailed('A', 'x', answered(status), detail))).toBe(symptom);
});

it.each([
  ['steps[0].expect.headers.location', 'expected header "location" to be "/a", got "/b"', 'wrong-headers'],
  ['steps[0].expect.json', 'expected $.a to be 1, got 2', 'wrong-body'],
  ['steps[0].expect.jsonpath["$.a"]', 'expected 1', 'wrong-body'],
  ['steps[0].expect.within', 'expected an answer within 1 s, it took 2 s', 'slow'],
  ['steps[1].assert["${codes}"]', 'expected unique values', 'other'],
])('%s is told by its place', (at, message, symptom) => {
  expect(symptomOf(makeFailed('A', 'x', answered(200), { message, at }))).toBe(symptom);
});

it.each([
  ['not run: the service is down: it exited with code 1', 'not-run'],
  ['not reached: the service used up the 60 s of the stage', 'not-run'],
  ['connection reset; the service exited with code 1 during this check', 'crash'],
  ['connection refused', 'no-answer'],
  ['expected status 400, got 500', 'server-error'],
  ['something else', 'other'],
])('without evidence, "%s" is %s', (message, symptom) => {
  expect(symptomOf(makeCheck('A', 'x', { status: 'failed', message }))).toBe(symptom);
});

it('an exchange without a response is no answer', () => {
  const exchange = makeExchange('GET', '/', undefined, { error: 'socket hang up' });

  expect(
    symptomOf(makeFailed('A', 'x', exchange, { message: 'no complete answer came: socket hang up' })),
  ).toBe('no-answer');
});
