-- Numbered steps of the database's schema, applied in order by `darkroom setup`, each once.

-- 0001 the raw copy of the log
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

-- 0002 what operators did to dead letters
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

-- 0003 deliveries to a subscriber that are used up
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
