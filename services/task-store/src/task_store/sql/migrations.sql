-- Numbered steps of the database's schema, applied in order by `darkroom setup`, each once. A step
-- says what it is:
--
--     0009 expand: WHAT                                   the code of the version before runs on it
--     0010 contract, for code that knows 0009: WHAT       older code does not
--
-- A step that changes a table of the projection changes it in projection.sql and, here, in `live`.

-- 0001 expand: the raw copy of the log
CREATE SCHEMA log;
CREATE TABLE log.events (
    sequence bigint PRIMARY KEY,
    logtime timestamptz NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    event_id text NOT NULL,
    subject text NOT NULL,
    payload bytea NOT NULL
);
CREATE INDEX events_of_task ON log.events (task_id, sequence);
COMMENT ON TABLE log.events IS 'Every event as it came: audit, cheap rebuild, second copy of the log.';

-- 0002 expand: what operators did to dead letters
CREATE TABLE log.dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    action text NOT NULL CHECK (action IN ('retried', 'dropped')),
    note text CHECK (action <> 'dropped' OR note <> ''),
    outcome text NOT NULL,
    sequence bigint NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    logtime timestamptz NOT NULL,
    subject text NOT NULL,
    payload bytea
);
CREATE INDEX dead_letters_of_event ON log.dead_letters (subject, logtime);
CREATE INDEX dead_letters_of_task ON log.dead_letters (task_id);
COMMENT ON TABLE log.dead_letters IS
    'Audit of parked events that were tried again or dropped. A projection never applies a dropped one.';

-- 0003 expand: deliveries to a subscriber that are used up
CREATE TABLE log.exhausted_deliveries (
    consumer text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    deliveries bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by text,
    note text,
    PRIMARY KEY (consumer, sequence)
);
CREATE INDEX exhausted_open ON log.exhausted_deliveries (sequence) WHERE closed_at IS NULL;
COMMENT ON TABLE log.exhausted_deliveries IS
    'What the broker told of durables with max_deliver that gave up on an event: a hint, at most once.';

-- 0004 expand: the archive of finished tasks
CREATE SCHEMA archive;
CREATE TABLE archive.tasks (
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
    sequence bigint NOT NULL,
    through bigint NOT NULL,
    pruned boolean NOT NULL DEFAULT false
);
CREATE INDEX archive_history ON archive.tasks (owner, created_at DESC, task_id DESC) WHERE pruned;
CREATE INDEX archive_of_prompt ON archive.tasks (owner, prompt_id, created_at)
    WHERE pruned AND prompt_id IS NOT NULL;
CREATE INDEX archive_references ON archive.tasks USING gin (reference_images jsonb_path_ops)
    WHERE reference_images <> '[]';
CREATE INDEX archive_to_prune ON archive.tasks (through) WHERE NOT pruned;
COMMENT ON TABLE archive.tasks IS
    'Rows of finished tasks as segments have them. A pruned one is nowhere else.';
CREATE TABLE archive.segments (
    segment bigint PRIMARY KEY,
    key text NOT NULL UNIQUE,
    first bigint NOT NULL,
    last bigint NOT NULL,
    tasks bigint NOT NULL,
    events bigint NOT NULL,
    bytes bigint NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE archive.segments IS 'The objects that hold the events of archived tasks.';
CREATE TABLE archive.contents (
    task_id uuid NOT NULL,
    segment bigint NOT NULL,
    through bigint NOT NULL,
    scrub boolean NOT NULL DEFAULT false,
    PRIMARY KEY (task_id, segment)
);
CREATE INDEX contents_to_scrub ON archive.contents (segment) WHERE scrub;
COMMENT ON TABLE archive.contents IS
    'Which segments have events of a task, up to which sequence; erased ones are to be scrubbed.';
CREATE TABLE archive.postponed (task_id uuid PRIMARY KEY);
COMMENT ON TABLE archive.postponed IS
    'Finished tasks with parked events: archived once those are applied or dropped.';
CREATE TABLE archive.pruned_types (type text PRIMARY KEY);
COMMENT ON TABLE archive.pruned_types IS
    'Types of which tasks were pruned: the figures of their lanes can not be made again.';
CREATE TABLE archive.state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    segments bigint NOT NULL DEFAULT 0,
    sequence bigint NOT NULL DEFAULT 0,
    raw_changes bigint NOT NULL DEFAULT 0,
    in_hand text,
    held_at_build bigint
);
COMMENT ON TABLE archive.state IS
    'How far the raw copy was looked through. raw_changes counts the times that events left it or came back.';
