import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Starting a service again may take as long as its first start. */
const HOOK_TIMEOUT_MS = 10 * 60_000;

/** Makes the worker wait after each test until something is done about it here. */
export interface GoAhead {
  /** A file for vitest's `setupFiles`. */
  setupFile: string;
  close(): Promise<void>;
}

/**
 * The reporter of vitest learns of a test when the worker is at the next one already. So the worker itself asks, over a
 * socket in `folder`, after each test and its hooks, and goes on when `onTest` has resolved.
 */
export async function openGoAhead(
  folder: string,
  onTest: (testId: string) => Promise<void>,
): Promise<GoAhead> {
  const own = await mkdtemp(join(folder, 'go-'));
  const socketPath = join(own, 's');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let testId = '';
    socket.setEncoding('utf8').on('error', () => undefined);
    socket.on('data', (part: string) => {
      testId += part;
    });
    socket.on('end', () => {
      void onTest(testId)
        // What went wrong is told by whoever waits for the checks; the worker must not wait for ever.
        .catch(() => undefined)
        .finally(() => socket.end());
    });
  });
  server.listen(socketPath);
  await once(server, 'listening');
  const setupFile = join(own, 'setup.mjs');
  await writeFile(setupFile, setupSource(socketPath));
  return {
    setupFile,
    close: async () => {
      server.close();
      await rm(own, { recursive: true, force: true });
    },
  };
}

/** Of all hooks after a test this one, being the first that is set up, runs last. */
function setupSource(socketPath: string): string {
  return `import { connect } from 'node:net';
import { afterEach } from 'vitest';
afterEach(({ task }) => new Promise((resolve) => {
  const socket = connect(${JSON.stringify(socketPath)});
  socket.on('close', () => resolve()).on('error', () => undefined).resume().end(task.id);
}), ${HOOK_TIMEOUT_MS});
`;
}
