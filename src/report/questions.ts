import type { Check, Exchange } from '../domain/grader-protocol.ts';
import {
  describeAnswer,
  describeBody,
  describeCall,
  type InputKind,
  inputKind,
  tellingExchange,
} from './exchange-words.ts';
import { expectedStatusOf, type Symptom } from './symptom.ts';
import { excerpt } from './text-safety.ts';

/**
 * One open question for the discussion, about the exact exchange that a check failed at. It tells what was seen
 * and asks for the reasoning; it never says that something is a mistake. `themed` lets the words of the check
 * decide what is asked (restarts, simultaneous requests).
 */
export function questionFor(check: Check, symptom: Symptom, { themed }: { themed: boolean }): string {
  const exchange = tellingExchange(check);
  const seen = exchange ? `Your service ${describeAnswer(exchange)} to ${callOf(exchange)}.` : said(check);
  const theme = themed && !OFF_THEME.has(symptom) ? themeOf(check) : undefined;
  return `${seen}${expectation(check, symptom)} ${theme ?? askAbout(check, symptom, exchange)}`;
}

function callOf(exchange: Exchange): string {
  return `${describeCall(exchange)}${describeBody(exchange)}`;
}

function said(check: Check): string {
  return `In "${check.name}" this was seen: ${check.message.replace(/\.$/, '')}.`;
}

// The check never came so far as to look at an answer.
const SILENT: ReadonlySet<Symptom> = new Set(['no-answer', 'not-run']);
const ABOUT_CONTENT: ReadonlySet<Symptom> = new Set([
  'first-time-only',
  'slow',
  'wrong-headers',
  'wrong-body',
  'other',
]);

/** What was looked for, one sentence with a blank before it, or "". */
function expectation(check: Check, symptom: Symptom): string {
  const message = check.message.replace(/\.$/, '');
  if (SILENT.has(symptom)) {
    return '';
  }
  if (symptom === 'crash') {
    const ending = /\bthe service .*$/i.exec(message)?.[0];
    return ending ? ` Then ${ending}.` : '';
  }
  if (ABOUT_CONTENT.has(symptom)) {
    return tellingExchange(check) ? ` What the check noted: ${excerpt(message, 200)}.` : '';
  }
  const expected = expectedStatusOf(check);
  return expected ? ` The expected status was ${excerpt(expected, 60)}.` : '';
}

// These say that the service did not get as far as what the check is about.
const OFF_THEME: ReadonlySet<Symptom> = new Set([
  'first-time-only',
  'crash',
  'not-run',
  'no-answer',
  'accepted-invalid',
  'rejected-valid',
]);

// What a check is about is in the words that its author chose for it.
const THEMES: readonly [RegExp, string][] = [
  [
    /\b(concurren\w*|parallel|at once|at the same time|simultaneous\w*|races?|collide\w*)\b/i,
    'Walk us through two such requests that arrive in the same instant: which state do they share, and what keeps it consistent?',
  ],
  [
    /\b(restart\w*|kill(ed)?|while it stops|persist\w*|surviv\w*|durab\w*)\b/i,
    'At which moment is a write safe in your design, and what would be lost if the process ended just before?',
  ],
  [
    /\b(send slowly|slow clients?|floods?|not HTTP)\b/i,
    'How long and how much may a single client of yours send, and which part of your service keeps the others from waiting for it?',
  ],
  [
    /\b(idempoten\w*|repeat\w*|twice)\b/i,
    'What should a client that has lost an answer be able to do, and how does your API help it?',
  ],
];

function themeOf(check: Check): string | undefined {
  const words = `${check.name} ${check.suite ?? ''} ${(check.tags ?? []).join(' ')}`;
  return THEMES.find(([pattern]) => pattern.test(words))?.[1];
}

const ABOUT_INPUT: Readonly<Record<InputKind, string>> = {
  'malformed-json': 'What did you expect to happen with malformed JSON, and where would you handle it?',
  empty: 'What should an empty body mean here, and which layer of your service decides that?',
  large: 'How large an input do you want to take, and where is it cheapest to say no?',
  'wrong-type': 'Which content types do you want to take here, and what tells a client about the others?',
  'not-ascii':
    'How does text beyond ASCII travel through your service, from the request to the store and back?',
  ordinary: 'Which path through your code does this request take, and where would you look first?',
};

const ABOUT_SYMPTOM: Readonly<Record<Exclude<Symptom, 'server-error' | 'wrong-status'>, string>> = {
  crash:
    'Which error reached the process itself, and what would you like to happen to the other requests in flight?',
  'first-time-only':
    'The same was asked again with other data, in another order and as another client: what in your service could tell the two apart?',
  'no-answer':
    'What was the service doing at that moment, and how would you find that out on a machine of your own?',
  slow: 'Where does the time go, and which measurement would you take first to find out?',
  'accepted-invalid': 'Which inputs do you want to take here, and where in your code would that rule live?',
  'not-found': 'What should have put it there, and where on the way could it have been lost?',
  'rejected-valid': 'Which rule refused it, and what was that rule meant to keep out?',
  'wrong-headers': 'What do clients use that header for, and where does your service set it?',
  'wrong-body': 'How did you decide on the shape of this answer, and what could clients come to rely on?',
  'not-run': 'What state was the service in by then, and what would have brought it back?',
  other: 'How did you read this part of the statement, and how would you check it yourself?',
};

function askAbout(check: Check, symptom: Symptom, exchange: Exchange | undefined): string {
  if (symptom === 'server-error') {
    return exchange ? ABOUT_INPUT[inputKind(exchange)] : ABOUT_INPUT.ordinary;
  }
  return symptom === 'wrong-status' ? askAboutStatus(check) : ABOUT_SYMPTOM[symptom];
}

const ABOUT_STATUS: readonly [string, string][] = [
  ['405', 'What does your router do with a method that it does not know, and what does that tell a client?'],
  ['404', 'How does your service tell "never existed", "no longer exists" and "not for you" apart?'],
  [
    '410',
    'Is there a difference between "gone" and "never there" for your clients, and what would it take to keep it?',
  ],
  ['409', 'What should happen when two clients want the same thing, and what does the second one learn?'],
  ['415', 'Which content types do you want to take here, and what tells a client about the others?'],
  ['201', 'What does a client learn from the status of a creation, beside that it worked?'],
];

function askAboutStatus(check: Check): string {
  const expected = check.evidence?.expected ?? check.message;
  const known = ABOUT_STATUS.find(([status]) => expected.includes(status));
  return known?.[1] ?? 'How did you choose this status, and what would a client do on seeing it?';
}
