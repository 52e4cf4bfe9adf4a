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
