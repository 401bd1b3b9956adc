import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { StreamMessage } from './event-view.ts';

const RETRY_MS = 2000;

export interface StreamWriter {
  /** Sends a message; waits for a reader that is behind, and throws when it stays behind for too long. */
  send(message: StreamMessage, id?: string): Promise<void>;
  /** Sends a comment, unless the reader is behind: then the connection is not idle anyway. */
  beat(): void;
  end(): void;
}

/** Writes server-sent events; what waits for a slow reader is one message, whatever the run prints. */
export function openStream(
  response: ServerResponse,
  headers: Record<string, unknown>,
  slowReaderMs: number,
): StreamWriter {
  response.writeHead(200, {
    ...(headers as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    // A connection that stayed open after the last event would keep a service that stops from ending.
    connection: 'close',
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
  return {
    send: async ({ event, data }, id) => {
      // JSON has no raw line breaks, so text of a candidate cannot begin a line of its own.
      const lines = [
        ...(id === undefined ? [] : [`id: ${id}`]),
        `event: ${event}`,
        `data: ${JSON.stringify(data)}`,
      ];
      if (!response.write(`${lines.join('\n')}\n\n`)) {
        await once(response, 'drain', { signal: AbortSignal.timeout(slowReaderMs) });
      }
    },
    beat: () => {
      if (!response.writableNeedDrain) {
        response.write(': beat\n\n');
      }
    },
    end: () => {
      if (response.writableNeedDrain) {
        response.destroy();
      } else {
        response.end();
      }
    },
  };
}
