import type { Readable } from 'node:stream';
import { InspectAnswer } from './inspect-protocol.ts';
import type { IntakeLimits } from './limits.ts';

const NEWLINE = 0x0a;
/** Generous room for one file in the answer's line: its path escaped, and the fields around it. */
const LINE_BYTES_PER_ENTRY = 2048;
const LINE_BYTES_BESIDES = 1024 ** 2;
/** A folder or file in the tar costs at most a PAX header with its record, a header and padding. */
const TAR_BYTES_PER_ENTRY = 2560;
const TAR_BYTES_BESIDES = 1024;

/** A complete answer; `tar` is empty for a refusal. */
export interface ReceivedAnswer {
  answer: InspectAnswer;
  tar: Buffer;
}

/**
 * Reads the answer of the reading process. Its sizes are checked before memory is set aside: that process
 * parses hostile bytes, so it is not believed. Returns undefined for an answer that is incomplete, too large
 * or malformed.
 */
export async function readAnswer(
  stdout: Readable,
  limits: IntakeLimits,
): Promise<ReceivedAnswer | undefined> {
  const maxLineBytes = limits.entries * LINE_BYTES_PER_ENTRY + LINE_BYTES_BESIDES;
  const maxTarBytes = limits.expandedBytes + limits.entries * TAR_BYTES_PER_ENTRY + TAR_BYTES_BESIDES;
  const lineChunks: Buffer[] = [];
  let lineBytes = 0;
  let received: ReceivedAnswer | undefined;
  let filled = 0;
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    let rest = chunk;
    if (received === undefined) {
      const newline = chunk.indexOf(NEWLINE);
      const linePart = newline === -1 ? chunk : chunk.subarray(0, newline);
      lineChunks.push(linePart);
      lineBytes += linePart.length;
      if (lineBytes > maxLineBytes) {
        return undefined;
      }
      if (newline === -1) {
        continue;
      }
      received = startAnswer(Buffer.concat(lineChunks).toString('utf8'), maxTarBytes);
      if (received === undefined) {
        return undefined;
      }
      rest = chunk.subarray(newline + 1);
    }
    if (filled + rest.length > received.tar.length) {
      return undefined;
    }
    filled += rest.copy(received.tar, filled);
  }
  return received !== undefined && filled === received.tar.length ? received : undefined;
}

function startAnswer(line: string, maxTarBytes: number): ReceivedAnswer | undefined {
  const parsed = InspectAnswer.safeParse(parseJson(line));
  if (!parsed.success) {
    return undefined;
  }
  const answer = parsed.data;
  const tarBytes = answer.outcome === 'accepted' ? answer.tarBytes : 0;
  return tarBytes > maxTarBytes ? undefined : { answer, tar: Buffer.allocUnsafeSlow(tarBytes) };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
