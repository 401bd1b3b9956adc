import { describe, expect, it } from 'vitest';
import { FeedbackSchema } from '../../../src/domain/challenge.ts';
import type { RunEvent } from '../../../src/domain/run.ts';
import { candidateView } from '../../../src/http/events/event-view.ts';
import type { StreamMessage } from '../../../src/http/events/event-view.ts';

function shown(feedback: object, ...events: RunEvent[]): StreamMessage[] {
  const view = candidateView(FeedbackSchema.parse(feedback));
  return events.flatMap((event, index) => view({ seq: index + 1, at: new Date(0), event }) ?? []);
}

function check(stage: string): RunEvent {
  return { type: 'check', stage, id: 'x', name: 'x', status: 'passed', visible: false };
}

const PROGRESS = { type: 'progress', done: 1, total: 9, label: 'x' } as const;

describe('what a candidate sees of a run under way', () => {
  it('counts anew when the run begins anew', () => {
    const again: RunEvent = { type: 'state', state: 'queued', message: 'the worker was lost' };
    const build: RunEvent = { type: 'log', source: 'service', text: 'listening' };
    const testing: RunEvent = { type: 'stage', stage: 'api', state: 'begin' };
    const messages = shown({}, testing, check('api'), build, again, build, testing, check('api'));

    expect(messages.filter(({ event }) => event === 'check').map(({ data }) => data)).toEqual([
      { stage: 'api', passed: 1, failed: 0, errored: 0, skipped: 0 },
      { stage: 'api', passed: 1, failed: 0, errored: 0, skipped: 0 },
    ]);
    expect(messages.filter(({ event }) => event === 'log')).toHaveLength(1);
    expect(JSON.stringify(messages)).not.toContain('lost');
  });

  it.each([
    [{ api: 'none' }, ['load', 'load']],
    [{ load: 'none' }, ['api', 'api']],
  ])('leaves out how far a stage is whose results are not shown: %j', (feedback, stages) => {
    const events = ['api', 'load'].flatMap((stage) => [check(stage), { ...PROGRESS, stage }]);

    expect(shown(feedback, ...events).map(({ data }) => (data as { stage: string }).stage)).toEqual(stages);
  });
});
