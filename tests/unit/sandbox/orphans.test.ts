import { describe, expect, it } from 'vitest';
import { findOrphans, findStale, type LabelledObject } from '../../../src/sandbox/docker/orphans.ts';

const NOW_MS = 1_000_000_000;

function object(
  id: string,
  role: string,
  options: { pod?: string; state?: string; ageMs?: number; expiresMs?: number } = {},
): LabelledObject {
  return {
    id,
    labels: {
      'assay.role': role,
      ...(options.pod === undefined ? {} : { 'assay.pod': options.pod }),
      ...(options.expiresMs === undefined ? {} : { 'assay.expires': String(options.expiresMs) }),
    },
    createdMs: NOW_MS - (options.ageMs ?? 1000),
    ...(options.state === undefined ? {} : { state: options.state }),
  };
}

function orphansOf(...objects: LabelledObject[]): string[] {
  return findOrphans(objects, NOW_MS).map((orphan) => orphan.id);
}

describe('findOrphans', () => {
  it('leaves a living pod alone, however old', () => {
    const age = { pod: 'p', ageMs: 9e8 };
    expect(
      orphansOf(
        object('p', 'pause', { ...age, state: 'running' }),
        object('c', 'candidate', { ...age, state: 'exited' }),
        object('v', 'candidate', age),
      ),
    ).toEqual([]);
  });

  it('takes all of a pod whose pause has exited, at once', () => {
    expect(
      orphansOf(
        object('p', 'pause', { pod: 'p', state: 'exited' }),
        object('c', 'candidate', { pod: 'p', state: 'running' }),
        object('v', 'candidate', { pod: 'p' }),
        object('other', 'pause', { pod: 'other', state: 'running' }),
      ),
    ).toEqual(['p', 'c', 'v']);
  });

  it('waits a minute for a pause that is not there, or was never started', () => {
    const young = [
      object('c1', 'candidate', { pod: 'gone', state: 'running', ageMs: 59_000 }),
      object('p1', 'pause', { pod: 'p1', state: 'created', ageMs: 59_000 }),
    ];
    const old = [
      object('c2', 'candidate', { pod: 'gone', state: 'running', ageMs: 61_000 }),
      object('p2', 'pause', { pod: 'p2', state: 'created', ageMs: 61_000 }),
    ];
    expect(orphansOf(...young, ...old)).toEqual(['c2', 'p2']);
  });

  it('leaves a running build until it has expired by its own word', () => {
    expect(
      orphansOf(
        object('b1', 'build', { state: 'running', ageMs: 500_000, expiresMs: NOW_MS + 1 }),
        object('b2', 'build', { state: 'running', ageMs: 500_000, expiresMs: NOW_MS - 1 }),
        object('b3', 'build', { state: 'running', ageMs: 500_000 }),
        object('b4', 'build', { state: 'exited', ageMs: 30_000 }),
        object('b5', 'build', { state: 'exited', ageMs: 61_000 }),
      ),
    ).toEqual(['b2', 'b5']);
  });
});

describe('findStale', () => {
  function leased(id: string, run: string, epoch: string, ageMs: number): LabelledObject {
    return { id, labels: { 'assay.run': run, 'assay.epoch': epoch }, createdMs: NOW_MS - ageMs };
  }

  it('takes what was made for a lease that is no more, but nothing young and nothing without a lease', () => {
    const objects = [
      leased('live', 'a', '2', 90_000),
      leased('old epoch', 'a', '1', 90_000),
      leased('other run', 'b', '1', 90_000),
      leased('just made', 'c', '1', 30_000),
      leased('command line', 'd', '0', 90_000),
      leased('warm', '', '1', 90_000),
    ];
    const stale = findStale(objects, [{ run: 'a', epoch: 2 }], NOW_MS);

    expect(stale.map(({ id }) => id)).toEqual(['old epoch', 'other run']);
  });
});
