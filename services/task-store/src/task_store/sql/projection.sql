-- The tables of one projection, made in the schema that search_path names: `live`, or the new
-- one beside it while `darkroom projection rebuild` or `verify` fills it.

CREATE TABLE checkpoint (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    build bigint NOT NULL,
    stream text NOT NULL,
    stream_created timestamptz,
    sequence bigint NOT NULL,
    logtime timestamptz NOT NULL
);
COMMENT ON TABLE checkpoint IS 'How far this projection is, in which stream. build changes with every rebuild.';

CREATE TABLE tasks (
    task_id uuid PRIMARY KEY,
    owner text NOT NULL,
    type text NOT NULL,
    phase text NOT NULL,
    status text NOT NULL,
    stage text NOT NULL,
    progress smallint NOT NULL,
    attempt integer NOT NULL,
    lane text NOT NULL,
    ticket bigint,
    retry_at timestamptz,
    prompt text,
    prompt_id text,
    reference_images jsonb NOT NULL,
    provider_params json NOT NULL,
    run_at timestamptz,
    body_sha256 text NOT NULL,
    metadata json NOT NULL,
    provider text,
    external_task_id text,
    handle json,
    artifacts json NOT NULL,
    late_artifacts json NOT NULL,
    error json,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    heard_at timestamptz NOT NULL,
    sequence bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX tasks_history ON tasks (owner, created_at DESC, task_id DESC) WHERE phase <> 'erased';
CREATE INDEX tasks_unfinished ON tasks (owner, type) WHERE status IN ('pending', 'processing');
CREATE INDEX tasks_in_line ON tasks (type, lane, ticket) WHERE phase = 'waiting';
CREATE INDEX tasks_in_hand ON tasks (heard_at) WHERE phase IN ('pending', 'running', 'backing_off');
CREATE INDEX tasks_of_prompt ON tasks (owner, prompt_id, created_at) WHERE prompt_id IS NOT NULL;
CREATE INDEX tasks_references ON tasks USING gin (reference_images jsonb_path_ops)
    WHERE reference_images <> '[]';

CREATE TABLE waiting_counts (
    type text NOT NULL,
    lane text NOT NULL,
    level smallint NOT NULL,
    bucket bigint NOT NULL,
    waiting bigint NOT NULL CHECK (waiting > 0),
    PRIMARY KEY (type, lane, level, bucket)
);
COMMENT ON TABLE waiting_counts IS
    'Waiting tasks of a lane by ticket >> (8 * level): a place is a sum of at most 256 rows a level.';

CREATE TABLE lanes (
    type text NOT NULL,
    lane text NOT NULL,
    waiting bigint NOT NULL,
    running bigint NOT NULL,
    finished bigint NOT NULL,
    mean_s double precision,
    served_at timestamptz,
    PRIMARY KEY (type, lane)
);

CREATE TABLE parked (
    sequence bigint PRIMARY KEY,
    task_id text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    behind bigint,
    logtime timestamptz NOT NULL,
    subject text NOT NULL,
    payload bytea NOT NULL
);
CREATE INDEX parked_of_task ON parked (task_id, sequence);
COMMENT ON TABLE parked IS
    'Events that could not be applied, and the later ones of the same task that wait behind them.';
