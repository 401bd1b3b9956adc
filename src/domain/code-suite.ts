import { z } from 'zod';
import { SkillSchema, VisibilitySchema } from './verdict.ts';

/** The `plan` of the code grader's input: one file of tests, and which of them are checks. */
export const CodePlanSchema = z.object({
  /** Below /input. */
  file: z.string(),
  suite: z.string(),
  /** Answers while the service lives. */
  readyPath: z.string(),
  checks: z.array(
    z.object({
      id: z.string(),
      /** Title of the test, with those of the groups around it ("group > test") or without. */
      name: z.string(),
      points: z.number(),
      skill: SkillSchema,
      visibility: VisibilitySchema,
      tags: z.array(z.string()),
    }),
  ),
  /** Titles that the suite lists, those that do not run now included. */
  listed: z.array(z.string()),
});
export type CodePlan = z.output<typeof CodePlanSchema>;
