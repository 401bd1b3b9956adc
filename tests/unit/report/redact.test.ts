import { describe, expect, it } from 'vitest';
import { FeedbackSchema } from '../../../src/domain/challenge.ts';
import type { Feedback } from '../../../src/domain/challenge.ts';
import { ReportSchema } from '../../../src/domain/report.ts';
import type { Report } from '../../../src/domain/report.ts';
import type { Visibility } from '../../../src/domain/verdict.ts';
import { assembleReport } from '../../../src/report/assemble.ts';
import { redact } from '../../../src/report/redact.ts';
import { renderCsv } from '../../../src/report/render/csv.ts';
import { renderHtml } from '../../../src/report/render/html.ts';
import { renderJunit } from '../../../src/report/render/junit.ts';
import { renderMarkdown } from '../../../src/report/render/markdown.ts';
import { SAMPLE_RUNS } from '../../helpers/report-samples.ts';

const CANARY = 'CANARY';
const RENDERERS = [renderHtml, renderMarkdown, renderJunit, renderCsv, JSON.stringify];

/** Marks every text below `value` that a hidden suite could have put there. */
function poison<T>(value: T): T {
  if (typeof value === 'string') {
    return `${CANARY} ${value}` as T;
  }
  if (Array.isArray(value)) {
    return value.map(poison) as T;
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, poison(inner)])) as T;
  }
  return value;
}

/** A report in which everything that comes from hidden suites, plans and graders carries the canary. */
function poisoned(name: keyof typeof SAMPLE_RUNS): Report {
  const report = structuredClone(assembleReport(SAMPLE_RUNS[name]()));
  for (const stage of report.stages) {
    stage.checks = stage.checks.map((check) => ({
      ...poison(check),
      status: check.status,
      skill: check.skill,
      visibility: 'hidden',
    }));
    stage.metrics = poison(stage.metrics);
    stage.seed = poison(stage.seed);
    if (stage.load) {
      stage.load = poison(stage.load);
    }
    if (stage.inconclusive) {
      stage.inconclusive = poison(stage.inconclusive);
    }
  }
  report.run.seed = poison(report.run.seed);
  report.outcome.remarks = poison([...report.outcome.remarks, 'a remark']);
  report.skills = report.skills.map((skill) => ({ ...skill, summary: poison(skill.summary) }));
  report.brief = {
    strongest: report.brief.strongest.map((item) => ({ ...poison(item), skill: item.skill })),
    weakest: report.brief.weakest.map((item) => ({ ...poison(item), skill: item.skill })),
  };
  if (report.service) {
    report.service.log = poison(report.service.log);
  }
  return report;
}

function feedback(part: Partial<Feedback> = {}): Feedback {
  return { ...FeedbackSchema.parse({}), ...part };
}

function candidate(part: Partial<Feedback> = {}, open: { due?: boolean; released?: boolean } = {}) {
  return {
    role: 'candidate' as const,
    feedback: feedback(part),
    due: open.due ?? false,
    released: open.released ?? false,
  };
}

const NAMES = Object.keys(SAMPLE_RUNS) as (keyof typeof SAMPLE_RUNS)[];

describe('F11: hidden tests in what a candidate sees', () => {
  it.each(NAMES)('%s: not a byte of them, in any rendering', (name) => {
    const report = poisoned(name);

    for (const render of RENDERERS) {
      const text = render(redact(report, candidate()));

      expect(text).not.toContain(CANARY);
      expect(render(redact(report, candidate({ api: 'none', load: 'none', logs: 'none' })))).not.toContain(
        CANARY,
      );
      expect(text.length).toBeGreaterThan(50);
    }
  });

  it('finds the canary where nothing is taken away', () => {
    for (const render of RENDERERS) {
      expect(render(poisoned(NAMES[0]!))).toContain(CANARY);
    }
  });

  it.each(NAMES)('%s: what is left is a whole report', (name) => {
    expect(() => ReportSchema.parse(redact(poisoned(name), candidate()))).not.toThrow();
  });
});

function withVisibility(visibility: Visibility): Report {
  const report = structuredClone(assembleReport(SAMPLE_RUNS[NAMES[0]!]()));
  report.stages[0]!.checks[0]!.visibility = visibility;
  report.stages[0]!.checks[0]!.id = 'the-check';
  return report;
}

describe('visibility', () => {
  it.each([
    ['visible', {}, true],
    ['after_due_date', {}, false],
    ['after_due_date', { due: true }, true],
    ['after_published', { due: true }, false],
    ['after_published', { released: true }, true],
    ['hidden', { due: true, released: true }, false],
  ] as const)('%s with %j', (visibility, open, shown) => {
    const view = redact(withVisibility(visibility), candidate({ api: 'none' }, open));

    expect(view.stages[0]!.checks.map(({ id }) => id).includes('the-check')).toBe(shown);
  });
});

describe('levels of feedback', () => {
  const report = assembleReport(SAMPLE_RUNS[NAMES[0]!]());
  const api = report.stages.findIndex((stage) => stage.name === 'api');

  it('counts says how many', () => {
    const stage = redact(report, candidate()).stages[api]!;

    expect(stage.checks).toEqual([]);
    expect(stage.metrics.find(({ name }) => name === 'checks passed')?.value).toBe(
      report.stages[api]!.checks.filter(({ status }) => status === 'passed').length,
    );
    expect(stage.score).toBe(report.stages[api]!.score);
  });

  it('names says which, and nothing of how', () => {
    const { checks } = redact(report, candidate({ api: 'names' })).stages[api]!;

    expect(checks.map(({ id }) => id)).toEqual(report.stages[api]!.checks.map(({ id }) => id));
    expect(checks.every((check) => check.message === '' && check.evidence === undefined)).toBe(true);
  });

  it('full leaves the checks as they are', () => {
    expect(redact(report, candidate({ api: 'full' })).stages[api]!.checks).toEqual(
      report.stages[api]!.checks,
    );
  });

  it('none tells neither points nor score', () => {
    const view = redact(report, candidate({ api: 'none' }));

    expect(view.stages[api]).toMatchObject({ score: null, points: 0, maxPoints: 0, metrics: [] });
    expect(view.outcome.score).toBeNull();
    expect(view.outcome.verdict).toBe(report.outcome.verdict);
  });

  it('leaves a reviewer everything', () => {
    expect(redact(report, { role: 'reviewer' })).toBe(report);
  });
});
