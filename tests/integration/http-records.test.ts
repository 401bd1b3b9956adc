import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHttpService, project } from '../helpers/http-service.ts';
import type { HttpService } from '../helpers/http-service.ts';

let service: HttpService;
beforeAll(async () => {
  service = await openHttpService();
});
afterAll(() => service?.close());

describe('the audit log', () => {
  it('and what it tells of are one: a change that cannot be noted does not happen', async () => {
    const reviewer = await service.staff('reviewer');
    const change = service.store.together(async (store) => {
      await store.access.revokeToken(reviewer.tokenId);
      await store.audit.add({ actorId: 'no uuid', actor: 'x', action: 'x', object: 'x', details: {} });
    });
    await expect(change).rejects.toMatchObject({ code: 'STORE_FAILED' });
    expect((await reviewer.ask('GET', '/v1/me')).statusCode).toBe(200);
  });
});

describe('the list of submissions', () => {
  it('C03: is not for candidates, whatever they ask for', async () => {
    const owner = await service.candidate();
    const { id } = (await owner.submit()).json<{ id: string }>();
    const other = await service.candidate();
    for (const query of ['', '?minScore=0', '?status=queued']) {
      for (const candidate of [owner, other]) {
        const answer = await candidate.ask('GET', `/v1/submissions${query}`);
        expect({ query, status: answer.statusCode }).toEqual({ query, status: 403 });
        expect(answer.body).not.toContain(id);
      }
    }
  });
});

describe('a delivery of one webhook', () => {
  it('is not sent again by the address of another', async () => {
    const admin = await service.staff('admin');
    const { webhooks } = service.store;
    const hook = { url: 'https://example.com/hook', events: ['submission.received'] as const, secret: 's' };
    const [one, other] = [await webhooks.add(hook), await webhooks.add({ ...hook, events: ['run.errored'] })];
    await (await service.candidate()).submit();
    const [delivery] = (await webhooks.deliveries(one.id, { limit: 1 })).items;
    const id = delivery?.id ?? '';
    await webhooks.settle(id, { ok: true, status: 200, error: null });

    const wrong = await admin.ask('POST', `/v1/webhooks/${other.id}/deliveries/${id}/redeliver`);
    expect(wrong.statusCode).toBe(404);
    expect((await webhooks.deliveries(one.id, { limit: 1 })).items).toMatchObject([{ state: 'delivered' }]);
    const right = await admin.ask('POST', `/v1/webhooks/${one.id}/deliveries/${id}/redeliver`);
    expect(right.json()).toMatchObject({ id, state: 'pending' });
    await Promise.all([webhooks.remove(one.id), webhooks.remove(other.id)]);
  });
});

describe('deleting a candidate', () => {
  it('leaves bytes alone that another upload may be about to name', async () => {
    const owner = await service.candidate();
    await owner.submit(project('the same files'));
    const admin = await service.staff('admin');
    const { candidateId } = owner.invitation;
    const [before] = await service.store.submissions.listOfInvitation(owner.invitation.id);
    expect((await admin.ask('DELETE', `/v1/candidates/${candidateId}`)).statusCode).toBe(204);

    const key = before?.submission.tarBlob ?? '';
    expect((await service.blobs.read(key)).length).toBeGreaterThan(0);
  });
});
