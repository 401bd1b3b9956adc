import { EventEmitter, once } from 'node:events';
import net from 'node:net';
import type { RawStep } from '../../src/domain/api-suite-raw.ts';
import { formatMs } from '../../src/domain/units.ts';
import { baseUrl } from './build-request.ts';
import type { CheckContext, StepPlace } from './check-context.ts';
import { CheckFailure } from './failures.ts';
import { connect } from './http-client.ts';
import { statusMatches } from './judge-response.ts';
import { expandText } from './template.ts';
import { MAX_FAILING } from './trail.ts';

const CONNECT_LIMITS = { connectTimeoutMs: 5000, timeoutMs: 5000, maxBodyBytes: 0, decompress: false };
/** Of an answer; a status line and the beginning of what follows. */
const MAX_ANSWER_BYTES = 4096;
const MAX_SHOWN_CHARS = 2000;

/** What came back over one raw connection. */
interface RawOutcome {
  answer: string;
  closed: boolean;
  /** The connection could not be opened. */
  refused: string | undefined;
  durationMs: number;
}

/** Sends bytes as they are, over one connection or many. Throws a `CheckFailure`. */
export async function runRaw(step: RawStep, place: StepPlace, context: CheckContext): Promise<void> {
  const pieces = step.raw.send.map((piece) =>
    typeof piece === 'string' ? expandText(piece, place.scope) : piece,
  );
  const outcomes = await Promise.all(
    Array.from({ length: step.raw.connections }, () => talk(pieces, step, context)),
  );
  const problems = outcomes.flatMap((outcome) => {
    const problem = judge(step.expect, outcome);
    return problem === undefined ? [] : [{ problem, outcome }];
  });
  const [first] = problems;
  if (!first) {
    context.budget.enforce();
    return;
  }
  context.seen.connectionFailure ||= first.outcome.refused !== undefined;
  place.trail.addFailing(
    ...problems.slice(0, MAX_FAILING).map(({ outcome }) => shown(pieces, outcome, context)),
  );
  const count =
    outcomes.length > 1 ? `${problems.length} of ${outcomes.length} raw connections failed; the first: ` : '';
  throw new CheckFailure(`${count}${first.problem}`, {
    at: 'expect',
    expected: [step.expect?.status ?? []].flat().join(' or ') || 'a closed connection',
    actual: statusLine(first.outcome) ?? (first.outcome.closed ? 'closed' : 'nothing'),
  });
}

function judge(expect: RawStep['expect'], outcome: RawOutcome): string | undefined {
  if (!expect) {
    return outcome.refused;
  }
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(outcome.answer)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) {
    return judgeUnanswered(expect, outcome);
  }
  if (expect.status !== undefined && statusMatches(expect.status, status)) {
    return undefined;
  }
  const wanted = [expect.status ?? []].flat().join(' or ') || 'the connection to be closed';
  return `expected ${expect.status === undefined ? wanted : `status ${wanted}`}, got ${status}`;
}

function judgeUnanswered(
  { orClosed, within }: NonNullable<RawStep['expect']>,
  { answer, closed, refused }: RawOutcome,
): string | undefined {
  if (refused !== undefined) {
    return refused;
  }
  // Old servers explain to what they cannot read in bare text, and close: there is no version to answer in.
  if (closed && orClosed && !answer.startsWith('HTTP/')) {
    return undefined;
  }
  if (answer !== '') {
    return 'what came back is no HTTP answer';
  }
  return closed
    ? 'the service closed the connection without an answer'
    : `neither an answer nor a close came within ${formatMs(within)} of the last byte`;
}

async function talk(
  pieces: (string | Exclude<RawStep['raw']['send'][number], string>)[],
  step: RawStep,
  context: CheckContext,
): Promise<RawOutcome> {
  const begin = performance.now();
  const { signal } = context.budget;
  const socket = await connect(context.target, CONNECT_LIMITS, signal);
  if (!(socket instanceof net.Socket)) {
    const refused = socket.failure?.message ?? 'no connection';
    return { answer: '', closed: true, refused, durationMs: performance.now() - begin };
  }
  const heard = listen(socket, signal);
  await send(pieces, socket, heard.ended, heard.isOver);
  if (step.expect) {
    await Promise.race([heard.ended, pause(step.expect.within)]);
  }
  heard.stop();
  const { answer, closed } = heard.so();
  return { answer, closed, refused: undefined, durationMs: performance.now() - begin };
}

/** Hears the beginning of what comes, and hangs up when that is enough: the service may go on for ever. */
function listen(socket: net.Socket, signal: AbortSignal) {
  // A copy: a part of what was read would keep all of it.
  const kept = Buffer.alloc(MAX_ANSWER_BYTES);
  let length = 0;
  let closed = false;
  let over = false;
  const heard = new EventEmitter();
  const ended = once(heard, 'enough').then(() => undefined);
  function end(): void {
    over = true;
    heard.emit('enough');
  }
  socket.on('data', (chunk: Buffer) => {
    length += chunk.copy(kept, length);
    // What is no HTTP answer never is one; then the end of the connection is what is waited for.
    const text = kept.toString('latin1', 0, length);
    if ((text.startsWith('HTTP/') && text.includes('\r\n')) || length === MAX_ANSWER_BYTES) {
      end();
      socket.destroy();
    }
  });
  for (const event of ['end', 'close', 'error'] as const) {
    socket.on(event, () => {
      // Not when it was us who hung up.
      closed ||= !over;
      end();
    });
  }
  signal.addEventListener('abort', end, { once: true });
  return {
    ended,
    isOver: () => over || signal.aborted,
    stop: () => {
      signal.removeEventListener('abort', end);
      socket.destroy();
    },
    so: () => ({ answer: kept.subarray(0, length).toString('latin1'), closed }),
  };
}

async function send(
  pieces: (string | Exclude<RawStep['raw']['send'][number], string>)[],
  socket: net.Socket,
  ended: Promise<void>,
  isOver: () => boolean,
): Promise<void> {
  for (const piece of pieces) {
    if (isOver()) {
      return;
    }
    if (typeof piece !== 'string' && 'pause' in piece) {
      await Promise.race([ended, pause(piece.pause)]);
    } else {
      const text = typeof piece === 'string' ? piece : piece.repeat.text.repeat(piece.repeat.times);
      await Promise.race([
        ended,
        new Promise<void>((resolve) => socket.write(text, 'latin1', () => resolve())),
      ]);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function statusLine({ answer }: RawOutcome): string | undefined {
  return answer === '' ? undefined : answer.split('\r\n')[0]?.slice(0, 200);
}

function shown(
  pieces: readonly (string | Exclude<RawStep['raw']['send'][number], string>)[],
  outcome: RawOutcome,
  context: CheckContext,
) {
  const sent = pieces.map((piece) => (typeof piece === 'string' ? piece : describe(piece))).join('');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(outcome.answer)?.[1] ?? Number.NaN);
  return {
    label: 'raw bytes',
    request: {
      method: 'RAW',
      url: baseUrl(context.target),
      headers: [],
      body: sent.slice(0, MAX_SHOWN_CHARS),
      ...(sent.length > MAX_SHOWN_CHARS ? { bodyTruncated: true } : {}),
    },
    ...(Number.isNaN(status)
      ? { error: outcome.closed ? 'the connection was closed' : 'nothing came' }
      : { response: { status, headers: [], body: outcome.answer.slice(0, MAX_SHOWN_CHARS) } }),
    durationMs: Math.round(outcome.durationMs),
  };
}

function describe(piece: Exclude<RawStep['raw']['send'][number], string>): string {
  return 'pause' in piece
    ? `<pause of ${formatMs(piece.pause)}>`
    : `<${JSON.stringify(piece.repeat.text)}, ${piece.repeat.times} times>`;
}
