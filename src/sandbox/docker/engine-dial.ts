import type { Readable } from 'node:stream';
import type { DockerClient } from './docker-client.ts';

export interface EnginePost {
  path: string;
  query: Readonly<Record<string, string | number>>;
  /** Sent as JSON; empty: no body at all. */
  body?: object;
  statusCodes: Readonly<Record<number, true | string>>;
}

/** What docker-modem takes; dockerode's own methods read whole answers and put whole bodies into the address. */
interface Dialer {
  dial(request: Record<string, unknown>, callback: (error: Error | null, answer: unknown) => void): void;
}

/** Posts to the engine and gives the parsed answer. Call it within `client.call`, which gives it its deadline. */
export function postJson(client: DockerClient, post: EnginePost): Promise<unknown> {
  return dial(client, post, {});
}

/**
 * Posts to the engine and gives the answer as a stream as soon as its header is there; with `hijack` the raw
 * connection in both directions. Destroyed when it arrives after `abandoned` was aborted.
 */
export async function postStream<T extends Readable>(
  client: DockerClient,
  post: EnginePost,
  hijack: boolean,
  abandoned: AbortSignal,
): Promise<T> {
  const stream = (await dial(client, post, { isStream: true, hijack })) as T;
  if (abandoned.aborted) {
    stream.destroy();
  }
  return stream;
}

function dial(client: DockerClient, post: EnginePost, extra: Record<string, boolean>): Promise<unknown> {
  const modem: unknown = client.api.modem;
  const request = {
    ...extra,
    path: `${post.path}?`,
    method: 'POST',
    statusCodes: post.statusCodes,
    options: { _query: post.query, _body: post.body ?? {} },
  };
  return new Promise((resolve, reject) => {
    (modem as Dialer).dial(request, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}
