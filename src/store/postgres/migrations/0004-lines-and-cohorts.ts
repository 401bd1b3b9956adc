/**
 * Submissions stand before re-grades on their way to the queue. Runs know which stages their report has. And the
 * results of a challenge are read side by side from an index alone: all of it, or of one version.
 */
export const LINES_AND_COHORTS = [
  'ALTER TABLE runs ADD COLUMN stages text[]',
  'ALTER TABLE outbox ADD COLUMN later boolean NOT NULL DEFAULT false',
  'DROP INDEX outbox_due',
  'CREATE INDEX outbox_due ON outbox (later, due_at, id)',
  `CREATE INDEX runs_waiting ON runs (queued_at, id) WHERE state = 'queued' AND kind IN ('first', 'dry')`,
  `CREATE INDEX submissions_cohort ON submissions (slug, id) INCLUDE (run_verdict, run_score)
    WHERE NOT dry_run AND run_verdict IS NOT NULL`,
  `CREATE INDEX runs_cohort ON runs (version_id, submission_id, created_at DESC, id DESC) INCLUDE (verdict, score)
    WHERE state = 'completed' AND kind IN ('first', 'regrade')`,
];
