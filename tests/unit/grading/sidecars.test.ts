import { describe, expect, it } from 'vitest';
import { startSidecars } from '../../../src/grading/sidecars.ts';
import { makeFakeEngine } from '../../../src/sandbox/fake/fake-engine.ts';
import type { FakeSidecarIo } from '../../../src/sandbox/fake/fake-script.ts';
import type { SidecarSpec } from '../../../src/sandbox/sandbox-engine.ts';

const { signal } = new AbortController();

/** Starts both on a scripted engine; `io` acts for the one that is asked for. */
async function start(names: ('postgres' | 'redis')[], wallMs = 1000) {
  const ios = new Map<string, FakeSidecarIo>();
  const specs: SidecarSpec[] = [];
  const engine = makeFakeEngine({
    sidecar: (io, spec) => {
      ios.set(spec.name, io);
      specs.push(spec);
      io.log(`${spec.ready.log}\n`);
    },
  });
  const pod = await engine.openPod({ run: 'r', epoch: 0 }, signal);
  const sidecars = await startSidecars(names, { engine, pod, wallMs }, signal);
  function act(name: string): FakeSidecarIo {
    const io = ios.get(name);
    if (!io) {
      throw new Error(`no ${name} was started`);
    }
    return io;
  }
  return { sidecars, specs, act };
}

describe('the databases of a stage', () => {
  it('are told to the candidate with passwords that are new each time', async () => {
    const [first, second] = [await start(['postgres', 'redis']), await start(['postgres', 'redis'])];
    const { DATABASE_URL: database = '', REDIS_URL: redis = '' } = first.sidecars.env;
    expect(database).toMatch(/^postgresql:\/\/app:[\w-]{24}@127\.0\.0\.1:5432\/app$/);
    expect(redis).toMatch(/^redis:\/\/:[\w-]{24}@127\.0\.0\.1:6379\/0$/);
    expect(second.sidecars.env).not.toEqual(first.sidecars.env);
    const [postgres] = first.specs;
    expect(database).toContain(postgres?.env['POSTGRES_PASSWORD']);
    expect(new Set(first.specs.map((spec) => spec.uid)).size).toBe(2);
  });

  it('are none where the challenge offers none', async () => {
    const { sidecars, specs } = await start([]);
    expect(sidecars.env).toEqual({});
    expect(specs).toEqual([]);
    expect(await sidecars.trouble()).toBeUndefined();
  });

  it.each([
    ['postgres', 'PANIC:  could not write: No space left on device\n', 'limit', /filled the 256 MiB/],
    ['redis', 'User requested shutdown...\n', 'candidate', /shut its Redis down/],
    ['postgres', 'something else\n', 'infra', /PostgreSQL beside the service ended.*code 7/],
  ] as const)('%s that ends after "%s" is the fault of: %s', async (name, log, blame, message) => {
    const { sidecars, act } = await start(['postgres', 'redis']);
    expect(await sidecars.trouble()).toBeUndefined();
    act(name).log(log);
    act(name).exit(7);
    expect(await sidecars.trouble()).toMatchObject({
      code: 'SIDECAR_ENDED',
      blame,
      message: expect.stringMatching(message),
    });
    await sidecars.remove();
  });

  it('are no fault of ours where the stage outlasts them', async () => {
    // Their own start comes on top: of this much nearly nothing is left.
    const { sidecars } = await start(['postgres'], 50 - 30_000);
    await expect.poll(() => sidecars.trouble(), { timeout: 10_000 }).toMatchObject({ blame: 'limit' });
  });

  it('are all taken back when one of them does not start', async () => {
    const engine = makeFakeEngine({
      sidecar: (io, spec) => (spec.name === 'redis' ? io.exit(1) : io.log(spec.ready.log)),
    });
    const pod = await engine.openPod({ run: 'r', epoch: 0 }, signal);
    const starting = startSidecars(['postgres', 'redis'], { engine, pod, wallMs: 1000 }, signal);
    await expect(starting).rejects.toMatchObject({ code: 'SIDECAR_FAILED', blame: 'infra' });
  });
});
