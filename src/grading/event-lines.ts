import { StringDecoder } from 'node:string_decoder';
import { InfraError } from '../domain/errors.ts';
import { GraderEventSchema, PROTOCOL_LIMITS } from '../domain/grader-protocol.ts';
import type { GraderEvent } from '../domain/grader-protocol.ts';

/**
 * Reads a grader's stdout as events, one a line. A grader parses hostile bytes, so its output is bounded and
 * every line is checked: a line that is too long, is not JSON or has another shape throws `GRADER_PROTOCOL`,
 * and so does more output than the protocol allows. An unfinished last line is dropped.
 */
export async function* readEvents(stdout: AsyncIterable<Buffer>): AsyncGenerator<GraderEvent> {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  let totalBytes = 0;
  for await (const chunk of stdout) {
    totalBytes += chunk.length;
    if (totalBytes > PROTOCOL_LIMITS.totalBytes) {
      throw protocolError(`it printed more than ${PROTOCOL_LIMITS.totalBytes} bytes`);
    }
    const lines = (pending + decoder.write(chunk)).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) {
      yield parseEvent(line);
    }
    if (pending.length > PROTOCOL_LIMITS.lineBytes) {
      throw protocolError(`it printed a line longer than ${PROTOCOL_LIMITS.lineBytes} bytes`);
    }
  }
}

function parseEvent(line: string): GraderEvent {
  if (Buffer.byteLength(line) > PROTOCOL_LIMITS.lineBytes) {
    throw protocolError(`it printed a line longer than ${PROTOCOL_LIMITS.lineBytes} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw protocolError(`it printed a line that is not JSON: ${line.slice(0, 120)}`, error);
  }
  const parsed = GraderEventSchema.safeParse(value);
  if (!parsed.success) {
    throw protocolError(
      `it printed an event of the wrong shape: ${parsed.error.issues[0]?.message ?? line.slice(0, 120)}`,
    );
  }
  return parsed.data;
}

function protocolError(message: string, cause?: unknown): InfraError {
  return new InfraError('GRADER_PROTOCOL', `The grader broke its protocol: ${message}.`, { cause });
}
