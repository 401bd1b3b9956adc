import { InfraError } from '../../domain/errors.ts';
import type { Listener, ProbeResult } from '../sandbox-engine.ts';
import type { PauseProcess } from './pause-process.ts';

/** What the engine's own delay may add to a pause's answer, ms. */
const ANSWER_MARGIN_MS = 5000;
const PATH = /^\/[\x21-\x7e]{0,1500}$/;
const BAD_ANSWERS: Readonly<Record<string, string>> = {
  'not-http': 'it answered with something that is not HTTP',
  closed: 'it closed the connection without an answer',
  reset: 'it reset the connection without an answer',
};

/** One readiness probe by the pause. Throws InfraError for a path that no request line can hold. */
export async function probe(
  pause: PauseProcess,
  port: number,
  path: string,
  timeoutMs: number,
): Promise<ProbeResult> {
  if (!PATH.test(path)) {
    throw new InfraError('SANDBOX_USE', `"${path}" is no path for a probe`, {
      mend: 'percent-encode spaces and characters outside ASCII; begin with "/"',
    });
  }
  const waitMs = Math.max(1, Math.min(60_000, Math.round(timeoutMs)));
  return parseProbe(await pause.ask(`probe ${port} ${waitMs} ${path}`, waitMs + ANSWER_MARGIN_MS));
}

/** TCP ports that listen in the pod. At most 512 are told. */
export async function listeners(pause: PauseProcess): Promise<Listener[]> {
  return parseListeners(await pause.ask('listeners', ANSWER_MARGIN_MS));
}

/** TCP sockets of the pod in any state. */
export async function countSockets(pause: PauseProcess): Promise<number> {
  const match = /^sockets (\d+)$/.exec(await pause.ask('sockets', ANSWER_MARGIN_MS));
  return Number(match?.[1] ?? protocolError('sockets'));
}

/** Reads the pause's answer to a probe. Throws InfraError when it is none. */
export function parseProbe(answer: string): ProbeResult {
  const [kind = '', first, second] = answer.split(' ');
  switch (kind) {
    case 'answered':
      return { kind, address: first === '6' ? '::1' : '127.0.0.1', status: Number(second) };
    case 'refused':
    case 'timeout':
      return { kind };
    case 'bad':
      return { kind: 'bad-answer', detail: BAD_ANSWERS[first ?? ''] ?? 'it did not answer in HTTP' };
    default:
      return protocolError(answer);
  }
}

/** Reads "listeners 0100007F:1F90 …", addresses as in the kernel's tables. Throws InfraError when it is no such line. */
export function parseListeners(answer: string): Listener[] {
  const [kind, ...items] = answer.split(' ');
  if (kind !== 'listeners') {
    return protocolError(answer);
  }
  return items.map((item) => {
    const [address = '', port = ''] = item.split(':');
    return {
      address: address.length === 8 ? toIpv4(address) : toIpv6(address),
      port: Number.parseInt(port, 16),
    };
  });
}

/** The kernel prints words in the machine's byte order, which is little-endian on all that we support. */
function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex').swap32();
}

function toIpv4(hex: string): string {
  return [...bytesOf(hex)].join('.');
}

function toIpv6(hex: string): string {
  const groups = bytesOf(hex).toString('hex').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

function protocolError(answer: string): never {
  throw new InfraError('POD_PROTOCOL', `a pod answered "${answer.slice(0, 100)}"`);
}
