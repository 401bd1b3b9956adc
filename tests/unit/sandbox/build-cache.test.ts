import { describe, expect, it } from 'vitest';
import { type CachedImage, cacheTag, chooseVictims } from '../../../src/sandbox/docker/build-cache.ts';
import { watchDisk } from '../../../src/sandbox/docker/build-disk-watch.ts';

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;

function image(id: string, ageMinutes: number, ownBytes: number, overrides: Partial<CachedImage> = {}) {
  const ms = NOW - ageMinutes * MINUTE;
  return { id, lastUsedMs: ms, ownBytes, inUse: false, ...overrides };
}

function victims(images: CachedImage[], maxAgeMinutes: number, maxBytes: number): string[] {
  return chooseVictims(images, { maxAgeMs: maxAgeMinutes * MINUTE, maxBytes }, NOW).map(({ id }) => id);
}

describe('what the cache removes', () => {
  it('is what was not used for too long', () => {
    const used = image('used', 500, 1, { lastUsedMs: NOW - 20 * MINUTE });
    expect(victims([image('old', 500, 1), image('new', 20, 1), used], 100, 1e9)).toEqual(['old']);
  });

  it('is the longest unused until the rest fits', () => {
    const images = [image('b', 40, 50), image('a', 60, 50), image('c', 20, 50)];
    expect(victims(images, 999, 100)).toEqual(['a']);
    expect(victims(images, 999, 99)).toEqual(['a', 'b']);
    expect(victims(images, 999, 150)).toEqual([]);
  });

  it('is never in use or just made', () => {
    const images = [image('busy', 500, 50, { inUse: true }), image('fresh', 5, 50)];
    expect(victims(images, 0, 0)).toEqual([]);
  });
});

describe('cache tags', () => {
  const owner = { install: 'i', owner: 'o' };
  const plan = { key: 'k', kind: 'submission', scope: 's' } as const;

  it('are shared by processes, and by no scopes and installations', () => {
    const tag = cacheTag(owner, plan);
    expect(cacheTag({ ...owner, owner: 'other' }, plan)).toBe(tag);
    expect(cacheTag({ ...owner, install: 'other' }, plan)).not.toBe(tag);
    expect(cacheTag(owner, { ...plan, scope: 'other' })).not.toBe(tag);
    expect(cacheTag(owner, { ...plan, kind: 'dependencies' })).not.toBe(tag);
    expect(cacheTag(owner, { ...plan, scope: 's","submission' })).not.toBe(tag);
  });
});

describe('the watch over the disk', () => {
  it('tells when the limit is passed', async () => {
    const sizes = [5, 11];
    const passed = await watchDisk(async () => sizes.shift() ?? 99, 10, new AbortController().signal);
    expect(passed).toBe(true);
    expect(sizes).toEqual([]);
  });

  it('ends when it is told to', async () => {
    await expect(watchDisk(async () => 1, 10, AbortSignal.timeout(50))).resolves.toBe(false);
  });

  it('does not let an unwatched build go on', async () => {
    const watching = watchDisk(() => Promise.reject(new Error('no')), 10, new AbortController().signal);
    await expect(watching).rejects.toMatchObject({ code: 'DISK_UNWATCHED' });
  });
});
