/**
 * Times are kept to the millisecond, as our own clock values are: a cursor made of one names the same instant.
 * `json`, not `jsonb`: reports keep their order to the byte, and escaped NUL characters are no error.
 */
const TIME = 'timestamptz(3)';
const ID = 'id uuid PRIMARY KEY DEFAULT gen_random_uuid()';
const CREATED = `created_at ${TIME} NOT NULL DEFAULT now()`;

const PEOPLE = [
  `CREATE TABLE candidates (
    ${ID},
    name text,
    email text,
    ${CREATED},
    deleted_at ${TIME}
  )`,
  `CREATE TABLE challenge_versions (
    ${ID},
    slug text NOT NULL,
    version integer NOT NULL,
    title text NOT NULL,
    blind boolean NOT NULL,
    digest text NOT NULL,
    bundle_blob text NOT NULL,
    policy json NOT NULL,
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'retired')),
    check_run_id uuid,
    check_ok boolean,
    check_finished_at ${TIME},
    ${CREATED},
    published_at ${TIME},
    UNIQUE (slug, version),
    UNIQUE (slug, digest)
  )`,
  `CREATE TABLE invitations (
    ${ID},
    candidate_id uuid NOT NULL REFERENCES candidates,
    version_id uuid NOT NULL REFERENCES challenge_versions,
    opens_at ${TIME} NOT NULL,
    closes_at ${TIME} NOT NULL,
    max_attempts integer NOT NULL CHECK (max_attempts >= 0),
    max_dry_runs integer NOT NULL CHECK (max_dry_runs >= 0),
    late text NOT NULL CHECK (late IN ('refuse', 'accept-marked')),
    released_at ${TIME},
    revoked_at ${TIME},
    ${CREATED}
  )`,
  'CREATE INDEX invitations_newest ON invitations (created_at DESC, id DESC)',
  'CREATE INDEX invitations_candidate ON invitations (candidate_id)',
  'CREATE INDEX invitations_version ON invitations (version_id)',
  `CREATE TABLE tokens (
    ${ID},
    role text NOT NULL CHECK (role IN ('admin', 'reviewer', 'candidate')),
    name text NOT NULL,
    invitation_id uuid REFERENCES invitations,
    hash text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
    challenges text[],
    ${CREATED},
    expires_at ${TIME},
    revoked_at ${TIME},
    last_used_at ${TIME},
    CHECK ((role = 'candidate') = (invitation_id IS NOT NULL))
  )`,
  'CREATE INDEX tokens_invitation ON tokens (invitation_id)',
];

const SUBMISSIONS = [
  `CREATE TABLE submissions (
    ${ID},
    invitation_id uuid NOT NULL REFERENCES invitations,
    version_id uuid NOT NULL REFERENCES challenge_versions,
    candidate_id uuid NOT NULL REFERENCES candidates,
    slug text NOT NULL,
    dry_run boolean NOT NULL,
    attempt integer NOT NULL,
    late boolean NOT NULL,
    refunded boolean NOT NULL DEFAULT false,
    upload_blob text,
    upload_bytes integer NOT NULL,
    tar_blob text,
    digest text NOT NULL,
    files json NOT NULL,
    notices json NOT NULL,
    idempotency_key text,
    body_digest text,
    ${CREATED},
    run_id uuid,
    run_state text,
    run_verdict text,
    run_score double precision,
    run_finished_at ${TIME},
    UNIQUE (invitation_id, dry_run, attempt),
    UNIQUE (invitation_id, idempotency_key)
  )`,
  'CREATE INDEX submissions_newest ON submissions (created_at DESC, id DESC)',
  'CREATE INDEX submissions_score ON submissions ((coalesce(run_score, -1)) DESC, id DESC)',
  'CREATE INDEX submissions_slug ON submissions (slug, created_at DESC, id DESC)',
  'CREATE INDEX submissions_slug_score ON submissions (slug, (coalesce(run_score, -1)) DESC, id DESC)',
  'CREATE INDEX submissions_state ON submissions (run_state, created_at DESC, id DESC)',
  'CREATE INDEX submissions_verdict ON submissions (run_verdict, created_at DESC, id DESC)',
  'CREATE INDEX submissions_candidate ON submissions (candidate_id)',
  'CREATE INDEX submissions_version ON submissions (version_id)',
  'CREATE INDEX submissions_upload ON submissions (upload_blob)',
  'CREATE INDEX submissions_tar ON submissions (tar_blob)',
];

const RUNS = [
  `CREATE TABLE runs (
    ${ID},
    submission_id uuid REFERENCES submissions,
    version_id uuid NOT NULL REFERENCES challenge_versions,
    kind text NOT NULL CHECK (kind IN ('first', 'dry', 'regrade', 'check')),
    state text NOT NULL DEFAULT 'queued'
      CHECK (state IN ('queued', 'running', 'completed', 'errored', 'canceled')),
    epoch integer NOT NULL DEFAULT 1,
    worker text,
    lease_until ${TIME},
    cancel_reason text,
    failures integer NOT NULL DEFAULT 0,
    seed text NOT NULL,
    phase text,
    phases json NOT NULL DEFAULT '[]',
    verdict text,
    score double precision,
    previous_run_id uuid REFERENCES runs,
    reason text,
    last_seq integer NOT NULL DEFAULT 0,
    queued_at ${TIME} NOT NULL DEFAULT clock_timestamp(),
    delivered_at ${TIME},
    ${CREATED},
    started_at ${TIME},
    finished_at ${TIME},
    CHECK ((kind = 'check') = (submission_id IS NULL)),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK (verdict IS NULL OR state = 'completed')
  )`,
  'CREATE INDEX runs_submission ON runs (submission_id, created_at)',
  'CREATE INDEX runs_previous ON runs (previous_run_id)',
  'CREATE INDEX runs_state ON runs (state)',
  'CREATE INDEX runs_finished ON runs (finished_at)',
  "CREATE INDEX runs_queued ON runs (queued_at, id) WHERE state = 'queued'",
  "CREATE INDEX runs_leased ON runs (lease_until) WHERE state = 'running'",
  `CREATE UNIQUE INDEX runs_one_check ON runs (version_id)
    WHERE kind = 'check' AND state IN ('queued', 'running')`,
  `CREATE TABLE results (
    run_id uuid PRIMARY KEY REFERENCES runs,
    epoch integer NOT NULL,
    worker text NOT NULL,
    failure json,
    report json,
    artifacts json NOT NULL,
    ${CREATED}
  )`,
  `CREATE TABLE artifacts (
    run_id uuid NOT NULL REFERENCES results ON DELETE CASCADE,
    blob text NOT NULL,
    PRIMARY KEY (blob, run_id)
  )`,
  'CREATE INDEX artifacts_run ON artifacts (run_id)',
  `CREATE TABLE run_events (
    run_id uuid NOT NULL REFERENCES runs,
    seq integer NOT NULL,
    at ${TIME} NOT NULL DEFAULT clock_timestamp(),
    event json NOT NULL,
    PRIMARY KEY (run_id, seq)
  )`,
  `CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs,
    epoch integer NOT NULL,
    due_at ${TIME} NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (run_id, epoch)
  )`,
  'CREATE INDEX outbox_due ON outbox (due_at, id)',
];

/** Lists of submissions show the newest run's state: whoever changes a run, the list follows in the same transaction. */
const NEWEST_RUN = [
  `CREATE FUNCTION show_newest_run() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE submissions
      SET run_id = NEW.id, run_state = NEW.state, run_verdict = NEW.verdict, run_score = NEW.score,
          run_finished_at = NEW.finished_at
      WHERE id = NEW.submission_id AND (TG_OP = 'INSERT' OR run_id = NEW.id);
    RETURN NULL;
  END
  $$`,
  `CREATE TRIGGER runs_show_newest AFTER INSERT OR UPDATE OF state, verdict, score, finished_at ON runs
    FOR EACH ROW WHEN (NEW.submission_id IS NOT NULL) EXECUTE FUNCTION show_newest_run()`,
];

const OPERATIONS = [
  `CREATE TABLE webhooks (
    ${ID},
    url text NOT NULL,
    events text[] NOT NULL,
    secret text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    ${CREATED}
  )`,
  `CREATE TABLE webhook_deliveries (
    ${ID},
    webhook_id uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    event text NOT NULL,
    payload json NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    last_status integer,
    last_error text,
    next_attempt_at ${TIME},
    ${CREATED},
    delivered_at ${TIME}
  )`,
  `CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at) WHERE state = 'pending'`,
  'CREATE INDEX webhook_deliveries_log ON webhook_deliveries (webhook_id, created_at DESC, id DESC)',
  `CREATE TABLE reviews (
    ${ID},
    submission_id uuid NOT NULL REFERENCES submissions,
    token_id uuid NOT NULL REFERENCES tokens,
    reviewer text NOT NULL,
    scores json NOT NULL,
    notes text NOT NULL,
    decision text CHECK (decision IN ('advance', 'hold', 'decline')),
    ${CREATED},
    updated_at ${TIME} NOT NULL DEFAULT now(),
    UNIQUE (submission_id, token_id)
  )`,
  `CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at ${TIME} NOT NULL DEFAULT clock_timestamp(),
    actor_id uuid,
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    details json NOT NULL
  )`,
  'CREATE INDEX audit_action ON audit (action, id DESC)',
  'CREATE INDEX audit_object ON audit (object, id DESC)',
  `CREATE TABLE workers (
    id text PRIMARY KEY,
    host text NOT NULL,
    version text NOT NULL,
    slots integer NOT NULL,
    busy integer NOT NULL,
    state text NOT NULL CHECK (state IN ('ready', 'draining', 'unhealthy', 'gone')),
    reason text,
    drain boolean NOT NULL DEFAULT false,
    started_at ${TIME} NOT NULL DEFAULT now(),
    seen_at ${TIME} NOT NULL DEFAULT now()
  )`,
];

export const FIRST = [...PEOPLE, ...SUBMISSIONS, ...RUNS, ...NEWEST_RUN, ...OPERATIONS];
