import { Readable } from 'node:stream';
import { InfraError } from '../../domain/errors.ts';
import type { DockerClient } from './docker-client.ts';

/** One image build on the engine. */
export interface ImageBuild {
  /** Uncompressed tar of the build context. */
  context: Buffer;
  tag: string;
  buildArgs: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  deadlineMs: number;
}

const MAX_LINE_CHARS = 256 * 1024;
const MAX_STREAM_BYTES = 64 * 1024 * 1024;
const KEPT_LINES = 30;

/**
 * Builds and tags an image from a trusted context. `onLine` gets the build's output line by line.
 * Returns the image id. Throws InfraError `IMAGE_BUILD_FAILED` with the last lines of output when the engine reports
 * an error or ends without an image id, `ENGINE_TIMEOUT` at the deadline.
 */
export async function buildImage(
  client: DockerClient,
  build: ImageBuild,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  return client.call(
    `build ${build.tag}`,
    async (abortSignal) => {
      const stream = await client.api.buildImage(Readable.from([build.context]), {
        t: build.tag,
        buildargs: { ...build.buildArgs },
        labels: { ...build.labels },
        rm: true,
        forcerm: true,
        abortSignal,
      });
      return readBuildStream(build.tag, stream, onLine);
    },
    { deadlineMs: build.deadlineMs, signal },
  );
}

/** Reads the engine's JSON lines to their end; exported for its caps to be tested. Errors as `buildImage`. */
export async function readBuildStream(
  tag: string,
  stream: AsyncIterable<Buffer | string>,
  onLine: (line: string) => void,
): Promise<string> {
  const state: BuildState = { id: undefined, error: undefined, lines: [] };
  let rest = '';
  let bytes = 0;
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    bytes += chunk.length;
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const parts = rest.split('\n');
    rest = parts.pop() ?? '';
    if (bytes > MAX_STREAM_BYTES || rest.length > MAX_LINE_CHARS) {
      throw new InfraError('IMAGE_BUILD_FAILED', `the build of ${tag} printed more than a build of ours can`);
    }
    for (const part of parts) {
      takeMessage(part, state, onLine);
    }
  }
  takeMessage(rest, state, onLine);
  if (state.error === undefined && state.id !== undefined) {
    return state.id;
  }
  const reason = state.error ?? 'the engine ended the build without an image id';
  throw new InfraError(
    'IMAGE_BUILD_FAILED',
    `${tag} could not be built: ${reason}\n${state.lines.join('\n')}`,
  );
}

interface BuildState {
  id: string | undefined;
  error: string | undefined;
  lines: string[];
}

function takeMessage(text: string, state: BuildState, onLine: (line: string) => void): void {
  if (text.trim() === '') {
    return;
  }
  const message = parseMessage(text);
  if (typeof message.error === 'string') {
    state.error = message.error;
  }
  if (typeof message.aux?.ID === 'string') {
    state.id = message.aux.ID;
  }
  const lines = typeof message.stream === 'string' ? message.stream.split('\n') : [];
  for (const line of lines.map((each) => each.trim()).filter((each) => each !== '')) {
    state.lines.push(line);
    if (state.lines.length > KEPT_LINES) {
      state.lines.shift();
    }
    onLine(line);
  }
}

interface BuildMessage {
  stream?: unknown;
  error?: unknown;
  aux?: { ID?: unknown };
}

function parseMessage(text: string): BuildMessage {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return { stream: text };
  }
}
