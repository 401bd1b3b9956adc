import type { Check } from '../domain/grader-protocol.ts';

/** What a person watching a run may want to know, as it happens. */
export type ProgressEvent =
  | { kind: 'phase'; phase: string; state: 'begin' | 'end'; detail?: string }
  | { kind: 'log'; source: 'build' | 'service'; text: string }
  | { kind: 'progress'; stage: string; done: number; total: number; label: string }
  | { kind: 'check'; stage: string; check: Check };

export type OnProgress = (event: ProgressEvent) => void;
