import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ExitReport } from '../../../src/domain/exit-report.ts';
import { InfraError } from '../../../src/domain/errors.ts';
import { holdAll } from '../../../src/grading/hold-all.ts';

/** Each step of its story is one thing that was done; `refuses` throws instead. */
function container(
  story: string[],
  name: string,
  {
    running = true,
    refuses,
    code = 'ENGINE_ERROR',
  }: { running?: boolean; refuses?: 'pause' | 'resume'; code?: string } = {},
) {
  const waiting: ((report: ExitReport) => void)[] = [];
  async function act(what: 'pause' | 'resume'): Promise<void> {
    await Promise.resolve();
    story.push(`${name}: ${what}`);
    if (what === refuses || (what === 'resume' && refuses === 'pause')) {
      throw new InfraError(code, 'no answer');
    }
  }
  const one = {
    running,
    exit: () => new Promise<ExitReport>((resolve) => void waiting.push(resolve)),
    pause: () => act('pause'),
    resume: () => act('resume'),
    /** We hear of it after the engine. */
    endAfter: async (ms: number) => {
      await delay(ms);
      one.running = false;
      waiting.forEach((resolve) => resolve({} as ExitReport));
    },
  };
  return one;
}

describe('holding containers still', () => {
  it('pauses what runs, and lets it go on afterwards, whatever happened', async () => {
    const story: string[] = [];
    const held = [container(story, 'service'), container(story, 'ended', { running: false })];
    expect(await holdAll(held, () => Promise.resolve(story.push('turn')))).toBe(2);
    await expect(holdAll(held, () => Promise.reject(new Error('turn')))).rejects.toThrow('turn');
    const after = ['service: pause', 'service: resume'];
    expect(story).toEqual(['service: pause', 'turn', 'service: resume', ...after]);
  });

  it('does nothing where one of them could not be paused, and lets all go on', async () => {
    const story: string[] = [];
    const held = [container(story, 'service'), container(story, 'database', { refuses: 'pause' })];
    expect(await holdAll(held, () => Promise.resolve(story.push('turn')))).toBeUndefined();
    expect(story.toSorted()).toEqual([
      'database: pause',
      'database: resume',
      'service: pause',
      'service: resume',
    ]);
  });

  it.each(['pause', 'resume'] as const)(
    'does not mind that one of them has just ended at its %s, which we hear later',
    async (refuses) => {
      const story: string[] = [];
      const ended = container(story, 'ended', { refuses });
      const ending = ended.endAfter(50);
      expect(await holdAll([ended], () => Promise.resolve('turn'))).toBe('turn');
      await ending;
    },
  );

  it('tells that one does not go on', async () => {
    const stuck = container([], 'service', { refuses: 'resume' });
    await expect(holdAll([stuck], () => Promise.resolve())).rejects.toThrow('no answer');
    // Paused perhaps, and not to be reached: no test may go on with it.
    const silent = container([], 'service', { refuses: 'pause', code: 'ENGINE_TIMEOUT' });
    await expect(holdAll([silent], () => Promise.resolve())).rejects.toThrow('no answer');
  });
});
