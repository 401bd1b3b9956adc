/**
 * Lists go on showing what a submission was last found to be while it waits to be graded again. And the audit log
 * names no candidates: it is never changed, so what it holds could not be forgotten with them.
 */
export const KEPT_VERDICTS = [
  `CREATE OR REPLACE FUNCTION show_newest_run() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE submissions
      SET run_id = NEW.id, run_state = NEW.state, run_finished_at = NEW.finished_at
      WHERE id = NEW.submission_id AND (TG_OP = 'INSERT' OR run_id = NEW.id);
    IF NEW.state = 'completed' THEN
      UPDATE submissions SET run_verdict = NEW.verdict, run_score = NEW.score
        WHERE id = NEW.submission_id AND NOT EXISTS (
          SELECT FROM runs later WHERE later.submission_id = NEW.submission_id AND later.state = 'completed'
            AND (later.created_at, later.id) > (NEW.created_at, NEW.id));
    END IF;
    RETURN NULL;
  END
  $$`,
  `UPDATE submissions SET run_verdict = graded.verdict, run_score = graded.score
    FROM (
      SELECT DISTINCT ON (submission_id) submission_id, verdict, score FROM runs
      WHERE state = 'completed' AND submission_id IS NOT NULL
      ORDER BY submission_id, created_at DESC, id DESC
    ) AS graded
    WHERE graded.submission_id = submissions.id AND submissions.run_verdict IS NULL`,
  `UPDATE audit SET actor = 'candidate' FROM tokens
    WHERE tokens.id = audit.actor_id AND tokens.role = 'candidate'`,
];
