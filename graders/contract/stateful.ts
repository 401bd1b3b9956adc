import fc from 'fast-check';
import { refusedMethods } from '../../src/domain/contract-checks.ts';
import type { ContractKind, ContractOperation } from '../../src/domain/contract-plan.ts';
import { makerOf, pathParameters, readerOf, readerOfMade } from '../../src/domain/contract-resources.ts';
import { headerOf } from '../api/http-types.ts';
import { parseJson } from '../api/parse-json.ts';
import { fillPath } from './build-request.ts';
import { documentedFor } from './judge.ts';
import { asText, isValid, keyOf, validCases } from './request-case.ts';
import type { RequestCase } from './request-case.ts';
import { bindingsFrom, Resources } from './resources.ts';
import type { Binding } from './resources.ts';
import { seedOf } from './session.ts';
import type { Sent, Session } from './session.ts';

const SAMPLES = 20;
/** Makes of something that may meet a conflict or a limit. */
const TRIES = 3;
/** Refusals that speak of the state of things: whether it could be made at all stays open. */
const CONFLICTS = new Set([409, 412, 423, 428, 429]);
/** Of something below another that may be gone meanwhile. */
const PARENT_GONE = new Set([404, 410]);
/** Of a deletion: a condition was not met, which a made-up value cannot. */
const UNMET = new Set([409, 412, 428]);
/** A deletion that is still to come: nothing can be said yet. */
const ACCEPTED_FOR_LATER = 202;

/** One valid request with what is required and nothing more. */
export function sampleValid(operation: ContractOperation, session: Session): RequestCase | undefined {
  // Every call draws anew, and the same in every run with one seed.
  const seed = seedOf(`${session.seed}/${session.sent}`);
  return fc
    .sample(validCases(operation, session.requests, 'least'), { seed, numRuns: SAMPLES })
    .toReversed()
    .find((made) => isValid(operation, made, session.requests));
}

interface Made {
  binding: Binding;
  sent: Sent;
}

/** Makes a new thing that `path` can stand for; "refused" when only the state of things was against it. */
async function make(path: string, session: Session): Promise<Made | 'refused' | undefined> {
  const maker = makerOf(path, session.plan.operations);
  let refused = false;
  for (let tries = 0; maker && tries < TRIES && !session.over; tries += 1) {
    const made = sampleBelowKnown(maker, session);
    const sent = made && (await session.send(maker, made));
    const response = sent?.outcome.response;
    if (sent && response?.status === 201) {
      const [binding] = learnt(path, sent, session);
      return binding && { binding, sent };
    }
    refused ||= isAboutState(maker, response?.status ?? 0);
  }
  return refused ? 'refused' : undefined;
}

function isAboutState({ path }: ContractOperation, status: number): boolean {
  return CONFLICTS.has(status) || (pathParameters(path).length > 0 && PARENT_GONE.has(status));
}

/** Below something that there is: of a made-up one nothing can be made. */
function sampleBelowKnown(maker: ContractOperation, session: Session): RequestCase | undefined {
  const made = sampleValid(maker, session);
  const isKnown = session.resources.ofPath(maker.path).length > 0;
  return made && isKnown && made.known < 0 ? { ...made, known: session.sent } : made;
}

/** What an answer says the path stands for: its links first. */
function learnt(path: string, sent: Sent, session: Session): Binding[] {
  const { response } = sent.outcome;
  if (!response) {
    return [];
  }
  const parsed = parseJson(response.body);
  const seen = {
    operation: sent.operation,
    documented: documentedFor(sent.operation, response.status),
    status: response.status,
    path: sent.path,
    query: sent.query,
    location: headerOf(response, 'location'),
    json: parsed.ok ? parsed.value : undefined,
    header: (name: string) => headerOf(response, name),
  };
  const alone = new Resources(session.plan.operations);
  alone.learn(seen);
  return [...alone.ofPath(path), ...bindingsFrom(path, seen)];
}

/** Sends an operation for one thing. */
async function sendTo(
  operation: ContractOperation,
  { binding, sent }: Made,
  session: Session,
): Promise<Sent | undefined> {
  const made = sampleValid(operation, session);
  const tag = sent.outcome.response && headerOf(sent.outcome.response, 'etag');
  const condition = Object.fromEntries(
    operation.parameters
      .filter((one) => tag !== undefined && one.in === 'header' && one.name.toLowerCase() === 'if-match')
      .map((one) => [keyOf(one), tag ?? '']),
  );
  const inPath = Object.fromEntries(
    operation.parameters
      .filter((one) => one.in === 'path')
      .map((one) => [keyOf(one), binding[one.name] ?? '']),
  );
  return (
    made &&
    (await session.send(operation, {
      ...made,
      known: -1,
      parameters: { ...made.parameters, ...inPath, ...condition },
    }))
  );
}

/** What was just made must be there. */
export async function checkAvailability(operation: ContractOperation, session: Session): Promise<void> {
  const kind = 'ensure_resource_availability';
  const reader = readerOfMade(operation, session.plan.operations);
  if (!reader || !session.isOpen(operation, kind) || session.over) {
    return;
  }
  const made = await make(reader.path, session);
  if (made === 'refused') {
    return;
  }
  if (!made) {
    return lose(
      operation,
      kind,
      `${operation.path} made nothing that ${reader.path} could be asked for`,
      [],
      session,
    );
  }
  const read = await sendTo(reader, made, session);
  const status = read?.outcome.response?.status;
  if (!read || status === undefined) {
    return;
  }
  session.ask(operation, [kind]);
  if (status === 404 || status === 410) {
    const message = `GET ${read.request.path} answered ${status} for what ${operation.method} ${operation.path} had just made`;
    session.lose(operation, { kind, message, expected: '2xx', actual: String(status) }, [made.sent, read]);
  }
}

/** What was deleted must be gone. */
export async function checkUseAfterFree(operation: ContractOperation, session: Session): Promise<void> {
  const kind = 'use_after_free';
  const reader = readerOf(operation.path, session.plan.operations);
  if (!reader || !session.isOpen(operation, kind) || session.over) {
    return;
  }
  const made = await make(operation.path, session);
  if (made === 'refused') {
    return;
  }
  if (!made) {
    return lose(operation, kind, `nothing could be made for ${operation.path} to delete`, [], session);
  }
  const deleted = await sendTo(operation, made, session);
  const gone = deleted?.outcome.response?.status;
  if (!deleted || gone === undefined || gone === ACCEPTED_FOR_LATER || UNMET.has(gone)) {
    return;
  }
  if (gone >= 300) {
    const message = `DELETE ${deleted.request.path} answered ${gone} for what had just been made`;
    return lose(operation, kind, message, [made.sent, deleted], session);
  }
  const read = await sendTo(reader, made, session);
  judgeGone(operation, [made.sent, deleted], read, session);
}

function judgeGone(
  operation: ContractOperation,
  before: readonly Sent[],
  read: Sent | undefined,
  session: Session,
): void {
  const kind = 'use_after_free';
  const status = read?.outcome.response?.status;
  if (!read || status === undefined) {
    return;
  }
  session.ask(operation, [kind]);
  if (status < 400) {
    const message = `GET ${read.request.path} answered ${status} after the DELETE had gone well`;
    session.lose(operation, { kind, message, expected: '404 or 410', actual: String(status) }, [
      ...before,
      read,
    ]);
  }
}

function lose(
  operation: ContractOperation,
  kind: ContractKind,
  message: string,
  sent: Sent[],
  session: Session,
): void {
  session.lose(operation, { kind, message, expected: '2xx', actual: 'none' }, sent);
}

/** Methods that the service knows and this path does not have: 405, with the ones it has in Allow. */
export async function checkUnsupported(operation: ContractOperation, session: Session): Promise<void> {
  const kind = 'unsupported_method';
  const { path } = operation;
  if (!session.isOpen(operation, kind) || session.over) {
    return;
  }
  const result = await make(path, session);
  const made = result === 'refused' ? undefined : result;
  const sample = sampleValid(operation, session)?.parameters ?? {};
  const binding =
    made?.binding ??
    session.resources.ofPath(path)[0] ??
    Object.fromEntries(pathParameters(path).map((name) => [name, asText(sample[`path ${name}`] ?? '')]));
  const known = made !== undefined || pathParameters(path).length === 0;
  const pathname = fillPath(path, binding);
  for (const method of refusedMethods(path, session.plan.operations)) {
    if (pathname === undefined || session.over || !session.isOpen(operation, kind)) {
      return;
    }
    await askUnsupported(operation, { method, path: pathname }, known, session);
  }
}

async function askUnsupported(
  operation: ContractOperation,
  { method, path }: { method: string; path: string },
  known: boolean,
  session: Session,
): Promise<void> {
  const kind = 'unsupported_method';
  const sent = await session.sendBare(operation, method, path);
  const { response } = sent.outcome;
  if (!response || (response.status === 404 && !known)) {
    return;
  }
  session.ask(operation, [kind]);
  if (response.status !== 405) {
    const message = `${method} ${path} answered ${response.status}; the path does not have this method`;
    session.lose(operation, { kind, message, expected: '405', actual: String(response.status) }, [sent]);
  } else if (headerOf(response, 'allow') === undefined) {
    const message = `the 405 answer of ${method} ${path} lacks the header Allow`;
    session.lose(operation, { kind, message, expected: 'Allow', actual: 'not there' }, [sent]);
  }
}
