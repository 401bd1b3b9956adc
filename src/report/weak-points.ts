import type { Check, Exchange } from '../domain/grader-protocol.ts';
import type { BriefItem, Failure, StageReport } from '../domain/report.ts';
import { lostPoints, quote, tellingExchange } from './exchange-words.ts';
import { type FailureGroup, groupFailures } from './failure-groups.ts';
import { questionFor } from './questions.ts';
import { type Symptom, TELLING } from './symptom.ts';

/** A point for the discussion with what orders it. */
export interface RankedItem {
  item: BriefItem;
  rank: number;
}

const HEADLINES: Readonly<Record<Symptom, string>> = {
  crash: 'the service ended while it was being tested',
  'first-time-only': 'what held at first did not hold again with other data, as another client',
  'not-run': 'could not be run',
  'no-answer': 'no complete answer came',
  slow: 'answers took longer than asked',
  'server-error': 'requests ended in a server error',
  'accepted-invalid': 'input was taken that should be refused',
  'not-found': 'something that should be there was not found',
  'rejected-valid': 'requests were refused that should work',
  'wrong-status': 'the status differs from the one asked for',
  'wrong-headers': 'a header differs from what is asked for',
  'wrong-body': 'the content of an answer differs from what is asked for',
  other: 'expectations were not met',
};

/**
 * Weak points of a stage's failed checks, one for each group of failures, so that a single mistake does not fill
 * the brief. `scorePerPoint` is what one point of this stage is worth in the run.
 */
export function weakCheckPoints(stage: StageReport, scorePerPoint: number): RankedItem[] {
  const failed = stage.checks.filter((check) => check.status === 'failed');
  const groups = groupFailures(failed, stage.name);
  const points = groups.map((group) => toWeakPoint(group, scorePerPoint));
  const crashShown = groups.some((group) => group.symptom === 'crash');
  return stage.crashes > 0 && !crashShown ? [...points, crashPoint(stage)] : points;
}

function toWeakPoint(group: FailureGroup, scorePerPoint: number): RankedItem {
  const { checks, shown, symptom, where } = group;
  const lostScore = checks.reduce((sum, check) => sum + lostPoints(check), 0) * scorePerPoint;
  const exchange = tellingExchange(shown);
  const item: BriefItem = {
    ref: `check:${shown.id}`,
    checks: checks.map((check) => check.id),
    lostScore,
    skill: shown.skill,
    headline: `${where}: ${HEADLINES[symptom]}`,
    detail: detailOf(group),
    question: questionFor(shown, symptom, { themed: !group.systemic }),
    ...(exchange && { evidence: { ...shown.evidence, exchanges: telling(shown, symptom, exchange) } }),
  };
  return { item, rank: lostScore * (1 + TELLING[symptom]) + TELLING[symptom] / 100 };
}

/** A difference between two passes shows in both exchanges. */
function telling(check: Check, symptom: Symptom, exchange: Exchange): Exchange[] {
  return symptom === 'first-time-only' ? (check.evidence?.exchanges ?? []) : [exchange];
}

function detailOf({ checks, shown }: FailureGroup): string {
  const first = `"${shown.name}": ${shown.message.replace(/\.$/, '')}.`;
  const others = checks.filter((check) => check !== shown).map((check) => `"${check.name}"`);
  if (others.length === 0) {
    return first;
  }
  const named = others.slice(0, 3).join(', ');
  const more = others.length > 3 ? ` and ${others.length - 3} more` : '';
  return `${first} The same kind in ${named}${more}.`;
}

function crashPoint(stage: StageReport): RankedItem {
  const times = stage.crashes === 1 ? 'once' : `${stage.crashes} times`;
  return {
    item: {
      ref: `stage:${stage.name}`,
      checks: [],
      lostScore: 0,
      skill: 'engineering',
      headline: `Stage ${stage.name}: the service had to be started again ${times}`,
      detail: 'The process ended by itself while it was being tested; the log of the service may say why.',
      question: `Your service ended ${times} during stage ${stage.name} and was started again. Which errors may end the process in your design, and what would you want an operator to see then?`,
    },
    rank: 1.5,
  };
}

/** The one weak point of a run or a stage that could not go on. `ref` is "build", "start" or "stage:<name>". */
export function failurePoint(failure: Failure, ref: string, lostScore: number): RankedItem {
  const exit = failure.exit ? ` It ended like this: ${failure.exit.message}` : '';
  const lastLine = lastLogLine(failure.log);
  return {
    item: {
      ref,
      checks: [],
      lostScore,
      skill: 'engineering',
      headline: ref === 'build' ? 'The submission did not build' : headlineOfStart(failure),
      detail: failure.hint ?? failure.message,
      question: `${failure.message}${exit && !failure.message.includes(failure.exit?.message ?? '') ? exit : ''}${
        lastLine ? ` The last line of the log was ${quote(lastLine, 120)}.` : ''
      } ${askAboutFailure(ref, failure)}`,
    },
    rank: Number.MAX_SAFE_INTEGER,
  };
}

function headlineOfStart(failure: Failure): string {
  return failure.code === 'NOT_READY'
    ? 'The service did not become ready'
    : 'The service could not be run to the end';
}

function askAboutFailure(ref: string, failure: Failure): string {
  if (ref === 'build') {
    return 'How did you build it on your own machine, and what does a clean machine lack that yours has?';
  }
  if (failure.blame === 'limit') {
    return 'How much did you expect the service to need, and how would you find out what it really uses?';
  }
  return 'What does the service need before it can take requests, and how does whoever starts it learn that it has it?';
}

function lastLogLine(log: string | undefined): string | undefined {
  return log
    ?.split('\n')
    .filter((line) => line.trim() !== '')
    .at(-1);
}
