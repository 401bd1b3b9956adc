import { createHmac } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { DueDelivery } from '../store/webhook-store.ts';
import type { Target } from './resolve-target.ts';

const DEADLINE_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** What is sent: the payload in an envelope, and the headers that name and sign it. */
export interface SignedMessage {
  body: string;
  headers: Record<string, string>;
}

/** Signs "t.body" with the webhook's secret, so that a receiver can tell ours from others', and old from new. */
export function signDelivery({ delivery, secret }: DueDelivery, now: Date): SignedMessage {
  const body = JSON.stringify({
    id: delivery.id,
    event: delivery.event,
    createdAt: delivery.createdAt.toISOString(),
    data: delivery.payload,
  });
  const t = Math.floor(now.getTime() / 1000);
  const v1 = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'assay-webhooks',
      'assay-event': delivery.event,
      'assay-delivery': delivery.id,
      'assay-signature': `t=${t},v1=${v1}`,
    },
  };
}

/**
 * Posts the message to the address that was checked, whatever the name resolves to by now, and answers the status.
 * Redirects are not followed; the answer's body is thrown away, and cut off when it is large. Rejects past 10 s.
 */
export async function post({ url, address, family }: Target, message: SignedMessage): Promise<number> {
  const options: RequestOptions = {
    method: 'POST',
    host: address,
    family,
    port: url.port,
    path: `${url.pathname}${url.search}`,
    headers: { ...message.headers, host: url.host },
    agent: false,
    signal: AbortSignal.timeout(DEADLINE_MS),
  };
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return await new Promise((resolve, reject) => {
    function answered(answer: IncomingMessage): void {
      drain(answer).then(() => resolve(answer.statusCode ?? 0), reject);
    }
    const outgoing =
      url.protocol === 'https:'
        ? requestHttps({ ...options, servername: host }, answered)
        : requestHttp(options, answered);
    outgoing.once('error', reject);
    outgoing.end(message.body);
  });
}

async function drain(answer: IncomingMessage): Promise<void> {
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) {
      answer.destroy();
      return;
    }
  }
}
