import { z } from 'zod';

/**
 * Exists only for completed runs. `passed` at or above the pass mark · `partial` something graded, below it ·
 * `failed` did not build or start, or no check passed · `inconclusive` what could not be measured could change it.
 */
export const VerdictSchema = z.enum(['passed', 'partial', 'failed', 'inconclusive']);
export type Verdict = z.infer<typeof VerdictSchema>;

export const BlameSchema = z.enum(['candidate', 'spec', 'infra', 'limit']);

/** Gradescope's words for who may see a check, and when. */
export const VisibilitySchema = z.enum(['hidden', 'after_due_date', 'after_published', 'visible']);
export type Visibility = z.infer<typeof VisibilitySchema>;

/** The three skills a take-home is judged by. */
export const SkillSchema = z.enum(['api-design', 'engineering', 'ml']);
export type Skill = z.infer<typeof SkillSchema>;
