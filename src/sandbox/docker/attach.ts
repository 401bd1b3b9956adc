import type { Duplex, Readable } from 'node:stream';
import type { DockerClient } from './docker-client.ts';
import { postStream } from './engine-dial.ts';

/**
 * Opens a container's standard streams: multiplexed stdout and stderr to read, stdin to write when `stdin`.
 * Call it before the start, or the first output is lost. Ends in InfraError or the signal's reason as `client.call`.
 */
export async function attachContainer(
  client: DockerClient,
  id: string,
  stdin: boolean,
  signal?: AbortSignal,
): Promise<Duplex> {
  const post = {
    path: `/containers/${id}/attach`,
    query: { stream: 1, stdin: stdin ? 1 : 0, stdout: 1, stderr: 1 },
    statusCodes: { 101: true, 404: 'no such container', 500: 'server error' },
  } as const;
  return client.call(
    'attach to a container',
    (abandoned) => postStream<Duplex>(client, post, true, abandoned),
    signal ? { signal } : {},
  );
}

/**
 * Begins to wait for a container's next exit. Resolves once the engine has registered the wait, so that a start
 * after it cannot race; `ended` resolves at the exit and rejects when the connection to the engine breaks.
 */
export async function openWait(
  client: DockerClient,
  id: string,
  signal?: AbortSignal,
): Promise<{ ended: Promise<void>; cancel: () => void }> {
  const post = {
    path: `/containers/${id}/wait`,
    // The default condition answers 0 at once for a container that has not started yet.
    query: { condition: 'next-exit' },
    statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
  } as const;
  const response = await client.call(
    'wait for a container',
    (abandoned) => postStream<Readable>(client, post, false, abandoned),
    signal ? { signal } : {},
  );
  const ended = new Promise<void>((resolve, reject) => {
    response.once('end', resolve);
    response.once('error', reject);
    response.once('close', () => reject(new Error('the engine closed the connection')));
    response.resume();
  });
  // Whoever waits hears of it; nobody has to.
  ended.catch(() => undefined);
  return { ended, cancel: () => response.destroy() };
}
