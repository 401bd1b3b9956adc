import { expect, it, vi } from 'vitest';
import type { Challenge } from '../../../src/domain/challenge.ts';
import { makeKnownChallenges } from '../../../src/worker/known-challenges.ts';

/** Only its identity matters here. */
function challenge(title: string): Challenge {
  return { title } as unknown as Challenge;
}

it('reads a bundle once for all that ask, also at the same time', async () => {
  const known = makeKnownChallenges();
  const load = vi.fn(() => Promise.resolve(challenge('a')));

  const [first, second] = await Promise.all([
    known.get({ bundleBlob: 'a' }, load),
    known.get({ bundleBlob: 'a' }, load),
  ]);
  const third = await known.get({ bundleBlob: 'a' }, load);

  expect(load).toHaveBeenCalledTimes(1);
  expect(second).toBe(first);
  expect(third).toBe(first);
});

it('keeps bundles apart', async () => {
  const known = makeKnownChallenges();

  const a = await known.get({ bundleBlob: 'a' }, () => Promise.resolve(challenge('a')));
  const b = await known.get({ bundleBlob: 'b' }, () => Promise.resolve(challenge('b')));

  expect(b).not.toBe(a);
});

it('tries one again that could not be read', async () => {
  const known = makeKnownChallenges();

  await expect(known.get({ bundleBlob: 'a' }, () => Promise.reject(new Error('no disk')))).rejects.toThrow(
    'no disk',
  );

  expect(await known.get({ bundleBlob: 'a' }, () => Promise.resolve(challenge('a')))).toEqual(challenge('a'));
});

it('forgets the one that was wanted longest ago, and holds no more than four', async () => {
  const known = makeKnownChallenges();
  const loads = new Map(
    ['a', 'b', 'c', 'd', 'e'].map((id) => [id, vi.fn(() => Promise.resolve(challenge(id)))] as const),
  );
  async function get(bundleBlob: string): Promise<void> {
    await known.get({ bundleBlob }, loads.get(bundleBlob) ?? expect.fail(`no such bundle ${bundleBlob}`));
  }
  for (const id of ['a', 'b', 'c', 'd', 'a', 'e']) {
    await get(id);
  }

  await get('a');
  await get('b');

  expect(loads.get('a')).toHaveBeenCalledTimes(1);
  expect(loads.get('b')).toHaveBeenCalledTimes(2);
});
