import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/shared/clock.ts';
import { makeLogger } from '../../../src/shared/logger.ts';
import type { DueDelivery, WebhookStore } from '../../../src/store/webhook-store.ts';
import { makeAllowRule } from '../../../src/webhooks/allow-rule.ts';
import { resolveTarget } from '../../../src/webhooks/resolve-target.ts';
import { post, signDelivery } from '../../../src/webhooks/send-delivery.ts';
import { sendDue } from '../../../src/webhooks/webhook-sender.ts';

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function listen(
  handle: (request: IncomingMessage, body: string) => [number, Record<string, string>, string?],
) {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const [status, headers, text] = handle(request, body);
      response.writeHead(status, headers).end(text);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const DUE: DueDelivery = {
  url: 'http://127.0.0.1/hook',
  secret: 'whsec_test',
  delivery: {
    id: 'd-1',
    webhookId: 'w-1',
    event: 'run.completed',
    payload: { run: 'r-1' },
    state: 'pending',
    attempts: 0,
    lastStatus: null,
    lastError: null,
    nextAttemptAt: null,
    createdAt: new Date('2026-11-25T12:00:00Z'),
    deliveredAt: null,
  },
};

describe('where webhooks may go (T13)', () => {
  const strict = makeAllowRule([]);

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.17.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00:ec2::254',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'no address',
  ])('not to %s', (address) => {
    expect(strict.allows('hooks.example', address)).toBe(false);
  });

  it.each(['93.184.215.14', '8.8.8.8', '2606:2800:21f:cb07::1'])('to %s', (address) => {
    expect(strict.allows('hooks.example', address)).toBe(true);
  });

  it('and where an operator allows it', () => {
    const rule = makeAllowRule(['hooks.internal', '10.1.0.0/16', '::1']);

    expect(rule.allows('Hooks.Internal', '192.168.7.7')).toBe(true);
    expect(rule.allows('x', '10.1.255.255')).toBe(true);
    expect(rule.allows('x', '::1')).toBe(true);
    expect(rule.allows('x', '10.2.0.1')).toBe(false);
    expect(() => makeAllowRule(['10.0.0.0/40'])).toThrow('no CIDR');
    expect(() => makeAllowRule(['http://x/'])).toThrow('neither a host name');
  });

  it.each([
    'http://127.0.0.1/',
    'http://localhost/',
    'http://[::1]/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://017700000001/',
    'http://127.0.0.1.:80/',
    'file:///etc/passwd',
    'http://user:pass@example.org/',
    'gopher://example.org/',
    'nonsense',
  ])('refuses %s however it is spelt', async (url) => {
    await expect(resolveTarget(url, strict)).rejects.toMatchObject({
      code: expect.stringMatching(/^WEBHOOK_/) as string,
    });
  });
});

describe('a delivery', () => {
  it('is signed over time and body', async () => {
    let seen: { headers: IncomingMessage['headers']; body: string } | undefined;
    const port = await listen((request, body) => {
      seen = { headers: request.headers, body };
      return [204, {}];
    });
    const target = await resolveTarget(`http://127.0.0.1:${port}/hook?x=1`, makeAllowRule(['127.0.0.0/8']));

    expect(await post(target, signDelivery(DUE, new Date(1_700_000_000_000)))).toBe(204);
    const mac = createHmac('sha256', DUE.secret).update(`1700000000.${seen!.body}`).digest('hex');
    expect(seen!.headers['assay-signature']).toBe(`t=1700000000,v1=${mac}`);
    expect(JSON.parse(seen!.body)).toMatchObject({ event: 'run.completed', data: { run: 'r-1' } });
    expect(seen!.body + JSON.stringify(seen!.headers)).not.toContain(DUE.secret);
  });

  it('dials the address that was checked, whatever the name says by then', async () => {
    const hosts: string[] = [];
    const port = await listen((request) => {
      hosts.push(request.headers.host ?? '');
      return [200, {}];
    });
    const url = new URL(`http://rebound.invalid:${port}/`);

    expect(await post({ url, address: '127.0.0.1', family: 4 }, signDelivery(DUE, new Date()))).toBe(200);
    expect(hosts).toEqual([`rebound.invalid:${port}`]);
  });

  it('follows no redirect', async () => {
    let followed = 0;
    const secret = await listen(() => {
      followed += 1;
      return [200, {}];
    });
    const port = await listen(() => [302, { location: `http://127.0.0.1:${secret}/` }]);
    const url = new URL(`http://127.0.0.1:${port}/`);

    expect(await post({ url, address: '127.0.0.1', family: 4 }, signDelivery(DUE, new Date()))).toBe(302);
    expect(followed).toBe(0);
  });

  it('throws a large answer away', async () => {
    const port = await listen(() => [200, {}, 'x'.repeat(5_000_000)]);
    const url = new URL(`http://127.0.0.1:${port}/`);

    expect(await post({ url, address: '127.0.0.1', family: 4 }, signDelivery(DUE, new Date()))).toBe(200);
  });
});

describe('a delivery that fails', () => {
  /** When the next try follows the given one, in s; undefined: it is given up. */
  async function waitAfter(attempts: number): Promise<number | undefined> {
    const settled: Parameters<WebhookStore['settle']>[1][] = [];
    // Refused before anything is sent: what is seen here is what follows a failure.
    const url = 'http://169.254.169.254/';
    const due = { ...DUE, url, delivery: { ...DUE.delivery, attempts } };
    await sendDue({
      webhooks: {
        takeDue: async () => [due],
        settle: async (_id: string, outcome: Parameters<WebhookStore['settle']>[1]) =>
          void settled.push(outcome),
      } as unknown as WebhookStore,
      rule: makeAllowRule([]),
      clock: systemClock,
      logger: makeLogger('silent'),
    });
    const wait = settled[0]?.retryInMs;
    return wait === undefined ? undefined : wait / 1000;
  }

  it('is tried again after 10 s, ever later, and given up after eight tries', async () => {
    const waits = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(waitAfter));

    expect(waits).toEqual([10, 60, 300, 1800, 7200, 14_400, 28_800, undefined]);
  });
});
