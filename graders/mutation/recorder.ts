import type { SeenExchange } from '../../src/domain/mutation.ts';
import type { Behaviour } from './behaviour.ts';

/** Equal requests with equal answers teach nothing new. */
const MAX_ALIKE = 2;
const MAX_EXCHANGES = 80;
const MAX_BODY_BYTES = 24 * 1024;
/** What the exchanges of one check come to at most, as JSON: all checks share the protocol's 32 MiB. */
const MAX_BYTES = 140 * 1024;

/** Remembers the exchanges of one check while it passes them on. */
export interface Recorder {
  behaviour: Behaviour;
  exchanges(): SeenExchange[];
}

export function makeRecorder(): Recorder {
  const seen: SeenExchange[] = [];
  const alike = new Map<string, number>();
  const underWay = new Map<string, number>();
  let bytes = 0;
  function keep(exchange: SeenExchange): void {
    const key = `${exchange.method} ${exchange.url} ${exchange.status} ${exchange.overlapped}`;
    const count = alike.get(key) ?? 0;
    alike.set(key, count + 1);
    const size = Buffer.byteLength(JSON.stringify(exchange));
    if (count < MAX_ALIKE && seen.length < MAX_EXCHANGES && bytes + size < MAX_BYTES) {
      seen.push(exchange);
      bytes += size;
    }
  }
  return {
    exchanges: () => seen,
    behaviour: async (request, forward) => {
      const { method, url, headers, body } = request;
      const others = underWay.get(method) ?? 0;
      underWay.set(method, others + 1);
      try {
        const answer = await forward(request);
        keep({
          method,
          url: url.slice(0, 2048),
          requestHeaders: headers,
          requestBody: text(body),
          status: answer.status,
          headers: answer.headers,
          body: text(answer.body),
          overlapped: others > 0,
        });
        return answer;
      } finally {
        underWay.set(method, (underWay.get(method) ?? 1) - 1);
      }
    },
  };
}

/** A longer body is left out: half a document says nothing. */
function text(body: Buffer): string {
  return body.length > MAX_BODY_BYTES ? '' : body.toString('utf8');
}
