import { describe, expect, it } from 'vitest';
import type { Change } from '../../../src/domain/mutation.ts';
import { behaviourOf } from '../behaviour.ts';
import { jsonOf } from '../traffic.ts';
import type { ProxyAnswer, ProxyRequest } from '../traffic.ts';

const TEMPLATES = ['/links', '/links/{code}'];

/** A service that gives out numbers, behind one fault. */
function faulty(method: string, path: string, change: Change, status?: number) {
  const served: string[] = [];
  let applied = 0;
  const target = status === undefined ? { method, path } : { method, path, status };
  const behaviour = behaviourOf({ target, change }, TEMPLATES, () => {
    applied += 1;
  });
  async function forward(request: ProxyRequest): Promise<ProxyAnswer> {
    served.push(`${request.method} ${request.url}`);
    const code = served.length;
    await Promise.resolve();
    const sent = jsonOf(request.body) as object | undefined;
    return { status: 201, headers: [], body: Buffer.from(JSON.stringify({ code, ...sent })) };
  }
  return {
    served,
    applied: () => applied,
    ask: async (how: string, url: string, json?: unknown) => {
      const body = Buffer.from(json === undefined ? '' : JSON.stringify(json));
      const answer = await behaviour({ method: how, url, headers: [], body }, forward);
      return { status: answer.status, json: jsonOf(answer.body) };
    },
  };
}

describe('behaviourOf', () => {
  it('touches one operation only', async () => {
    const { ask, applied } = faulty('GET', '/links/{code}', { operator: 'change-status', status: 500 }, 201);

    expect((await ask('GET', '/links/7?x=1')).status).toBe(500);
    expect((await ask('GET', '/links')).status).toBe(201);
    expect((await ask('DELETE', '/links/7')).status).toBe(201);
    expect(applied()).toBe(1);
  });

  it('swallows a write once there was one like it, and echoes what was sent', async () => {
    const { ask, served } = faulty('POST', '/links', { operator: 'swallow-write' });

    expect((await ask('POST', '/links', { url: 'a' })).json).toEqual({ code: 1, url: 'a' });
    expect((await ask('POST', '/links', { url: 'b' })).json).toEqual({ code: 1, url: 'b' });
    expect(served).toHaveLength(1);
  });

  it('does a write twice', async () => {
    const { ask, served } = faulty('POST', '/links', { operator: 'duplicate' });

    expect((await ask('POST', '/links', {})).json).toEqual({ code: 1 });
    expect(served).toHaveLength(2);
  });

  it('answers reads with what was read before, for each address', async () => {
    const { ask, served, applied } = faulty('GET', '/links/{code}', { operator: 'stale-read' });

    await ask('GET', '/links/7');
    await ask('GET', '/links/8');
    expect((await ask('GET', '/links/7')).json).toEqual({ code: 1 });
    expect(served).toHaveLength(2);
    expect(applied()).toBe(1);
  });

  it('loses one of simultaneous writes, and none of those that come one after another', async () => {
    const { ask, served } = faulty('POST', '/links', { operator: 'lose-concurrent-write' });

    await ask('POST', '/links', { n: 0 });
    const answers = await Promise.all([1, 2, 3].map((n) => ask('POST', '/links', { n })));
    expect(served).toHaveLength(3);
    expect(answers.map(({ json }) => json)).toEqual([
      { code: 2, n: 1 },
      { code: 2, n: 2 },
      { code: 3, n: 3 },
    ]);
  });

  it('tells when it made no difference', async () => {
    const { ask, applied } = faulty('POST', '/links', { operator: 'ignore-member', name: 'alias' });

    await ask('POST', '/links', { url: 'a' });
    expect(applied()).toBe(0);
    expect((await ask('POST', '/links', { url: 'a', alias: 'b' })).json).toEqual({ code: 2, url: 'a' });
    expect(applied()).toBe(1);
  });
});
