import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { withDeadline } from '../../../src/shared/with-deadline.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

it('comes in time, also when memory was collected before', async () => {
  const never = new AbortController().signal;
  const fired = Array.from({ length: 50 }, () => once(withDeadline(never, 300), 'abort'));
  await sleep(20);
  collectGarbage();

  expect(await Promise.race([Promise.all(fired).then(() => 'all'), sleep(5000, 'not all')])).toBe('all');
});

it('comes at once with the signal', () => {
  const controller = new AbortController();
  const either = withDeadline(controller.signal, 60_000);
  controller.abort(new Error('enough'));

  expect(either.reason).toEqual(new Error('enough'));
});
