import fc from 'fast-check';
import type { ContractOperation } from '../../src/domain/contract-plan.ts';
import { judgeOutcome } from './judge.ts';
import type { Finding, Judgement } from './judge.ts';
import type { RequestCase } from './request-case.ts';
import { seedOf } from './session.ts';
import type { Sent, Session } from './session.ts';

/** Requests sent to find the smallest failing one. */
const MAX_SHRINKS = 40;
/** One operation can lose a few checks by the same cases. */
const MAX_ROUNDS = 6;

/** Cases of one sort, to be sent to one operation. */
export interface Trial {
  operation: ContractOperation;
  /** Distinguishes trials of an operation, for the seed. */
  name: string;
  cases: fc.Arbitrary<RequestCase>;
  applies: (made: RequestCase) => boolean;
  /** What is to be said of an answer beside what the document says. */
  judge: (sent: Sent) => Judgement;
  runs: number;
  /** Of these runs, so many are sent however little of the budget is left. */
  least: number;
}

/** What the smallest failing case came to. */
interface Found {
  finding: Finding;
  sent: Sent;
}

/**
 * Sends the cases of a trial. Each check that an answer breaks is lost with the smallest case that breaks it; the rest of
 * the runs then go on for the other checks.
 */
export async function tryCases(trial: Trial, session: Session): Promise<void> {
  let left = trial.runs;
  for (let round = 0; round < MAX_ROUNDS && left > 0 && !isOver(trial, session); round += 1) {
    const { found, first, runs } = await findFailure(trial, session, left, round);
    if (!found) {
      return;
    }
    session.lose(trial.operation, found.finding, [found.sent]);
    // One answer can be wrong in several ways; it may have been the only chance to see it.
    for (const { finding, sent } of first) {
      session.lose(trial.operation, finding, [sent]);
    }
    left -= runs;
  }
}

async function findFailure(
  trial: Trial,
  session: Session,
  runs: number,
  round: number,
): Promise<{ found: Found | undefined; first: Found[]; runs: number }> {
  let found: Found | undefined;
  let first: Found[] = [];
  let sentBefore = 0;
  let shrinks = 0;
  const property = fc.asyncProperty(trial.cases, async (made) => {
    fc.pre(trial.applies(made));
    if (
      isOver(trial, session) ||
      (found ? shrinks >= MAX_SHRINKS : session.spent && sentBefore >= trial.least)
    ) {
      return;
    }
    const sent = await session.send(trial.operation, made);
    fc.pre(sent !== undefined);
    const findings = judgeAll(trial, sent, session);
    const target = found?.finding.kind;
    if (target === undefined) {
      sentBefore += 1;
    } else {
      shrinks += 1;
    }
    const finding = findings.find(({ kind }) =>
      target === undefined ? session.isOpen(trial.operation, kind) : kind === target,
    );
    if (finding) {
      first = found ? first : findings.map((one) => ({ finding: one, sent }));
      found = { finding, sent };
      throw new Error(finding.message);
    }
  });
  const seed = seedOf(`${session.seed}/${trial.operation.id}/${trial.name}/${round}`);
  await fc.check(property, { seed, numRuns: runs, maxSkipsPerRun: 20, verbose: fc.VerbosityLevel.None });
  return { found, first, runs: Math.max(1, sentBefore) };
}

/** A service that gave no answer is not asked again: its few starts are not for shrinking. */
function isOver({ operation }: Trial, session: Session): boolean {
  return session.over || session.muted(operation) !== undefined;
}

function judgeAll(trial: Trial, sent: Sent, session: Session): Finding[] {
  const judged = [judgeOutcome(trial.operation, sent.outcome, session.responses), trial.judge(sent)];
  session.ask(
    trial.operation,
    judged.flatMap(({ asked }) => asked),
  );
  return judged.flatMap(({ findings }) => findings);
}
