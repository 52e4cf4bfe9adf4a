-- What `darkroom projection rebuild` and `verify` do beside the live projection. Words in braces
-- are names of our own schemas, tables and columns.

-- name: try_alone
-- One rebuild or verification at a time, for as long as this session lasts.
SELECT pg_try_advisory_lock($1)

-- name: leave_alone
SELECT pg_advisory_unlock($1)

-- name: leftovers
-- What a rebuild or a verification that was broken off left behind.
SELECT nspname FROM pg_namespace WHERE nspname ~ '^(rebuild|verify)_[0-9]+$' ORDER BY nspname

-- name: drop_schema
DROP SCHEMA {schema} CASCADE

-- name: has_schema
SELECT to_regnamespace($1) IS NOT NULL

-- name: mark_schema
COMMENT ON SCHEMA {schema} IS '{mark}'

-- name: mark_of_schema
SELECT obj_description(to_regnamespace($1), 'pg_namespace')

-- name: still
-- The last that a killed session had sent may still be at work here: wait for its end.
SELECT FROM {schema}.checkpoint FOR UPDATE

-- name: last_mending
SELECT max(id) FROM log.dead_letters

-- name: raw_changes
SELECT coalesce((SELECT raw_changes FROM archive.state), 0)

-- name: analyze
-- Statistics before the first query comes.
ANALYZE tasks, waiting_counts, lanes, parked

-- name: hold_checkpoint
-- The live projector's next batch waits for the end of this transaction.
SELECT build, stream, stream_created, sequence, logtime FROM live.checkpoint FOR UPDATE

-- name: settle_checkpoint
-- The last events may have left the log by an erasure: the position is the live one all the same.
UPDATE checkpoint SET stream_created = $1, sequence = $2, logtime = $3

-- name: supersede
-- Whoever waits to write into the projection that goes finds no row, and loads the new one.
UPDATE live.checkpoint SET build = -1

-- name: retire_live
ALTER SCHEMA live RENAME TO {retired}

-- name: make_live
ALTER SCHEMA {schema} RENAME TO live

-- name: read_raw_between
-- The raw copy in order, between two sequences.
SELECT subject, sequence, logtime, payload, event_id FROM {raw}.events
WHERE sequence BETWEEN $1 AND $2 ORDER BY sequence LIMIT $3

-- name: columns
SELECT column_name::text FROM information_schema.columns
WHERE table_schema = 'live' AND table_name = $1 ORDER BY ordinal_position

-- name: count_rows
SELECT count(*) FROM live.{table}

-- name: compare
-- Rows of one table that are not the same on both sides, with the columns that differ.
SELECT concat_ws(' ', {key}) AS key, {differing} AS differing,
    l.{first} IS NOT NULL AS is_live, s.{first} IS NOT NULL AS is_rebuilt,
    count(*) OVER () AS total
FROM live.{table} l FULL JOIN {schema}.{table} s USING ({key})
WHERE {different}
ORDER BY 1 LIMIT $1

-- name: compare_lanes
-- A lane's figures count what erased and pruned tasks did, which neither log nor raw copy tells any
-- more: for types that have some only the waiting and the running are compared. A moving mean depends on the order:
-- where parked events were applied later than others, it is not compared.
SELECT concat_ws(' ', type, lane) AS key,
    array_remove(ARRAY[
        CASE WHEN waiting_differs THEN 'waiting' END, CASE WHEN running_differs THEN 'running' END,
        CASE WHEN figures_differ THEN 'finished, mean_s or served_at' END], NULL) AS differing,
    is_live, is_rebuilt, count(*) OVER () AS total
FROM (
    SELECT type, lane,
        coalesce(l.waiting, 0) <> coalesce(s.waiting, 0) AS waiting_differs,
        coalesce(l.running, 0) <> coalesce(s.running, 0) AS running_differs,
        ((l.finished, l.served_at) IS DISTINCT FROM (s.finished, s.served_at)
         OR l.mean_s IS DISTINCT FROM s.mean_s AND type NOT IN (
            SELECT t.type FROM log.dead_letters d JOIN live.tasks t ON t.task_id::text = d.task_id))
            AND type NOT IN (SELECT t.type FROM live.tasks t WHERE t.phase = 'erased')
            AND type NOT IN (SELECT p.type FROM archive.pruned_types p)
            AS figures_differ,
        l.waiting IS NOT NULL AS is_live, s.waiting IS NOT NULL AS is_rebuilt
    FROM live.lanes l FULL JOIN {schema}.lanes s USING (type, lane)
) compared
WHERE waiting_differs OR running_differs OR figures_differ
ORDER BY 1 LIMIT $1

-- name: kept_since
-- What a restore of the log takes from the raw copy: all from the first event that is not too old.
WITH kept AS (
    SELECT sequence, octet_length(payload) + octet_length(subject) AS bytes FROM log.events
    WHERE sequence >= (SELECT min(sequence) FROM log.events WHERE logtime >= $1)
)
SELECT count(*) AS events, coalesce(min(sequence), 0) AS first, coalesce(max(sequence), 0) AS last,
    coalesce(sum(bytes), 0)::bigint AS bytes
FROM kept

-- name: read_raw_after
SELECT subject, sequence, logtime, payload, event_id FROM log.events
WHERE sequence > $1 ORDER BY sequence LIMIT $2

-- name: highest_sequence
-- The highest that was ever told of, here.
SELECT greatest((SELECT max(sequence) FROM log.events), (SELECT max(sequence) FROM live.tasks),
    (SELECT max(last) FROM archive.segments),
    (SELECT max(sequence) FROM live.parked), (SELECT sequence FROM live.checkpoint))

-- name: erased_tasks
SELECT task_id::text FROM live.tasks WHERE phase = 'erased'

-- name: make_raw
-- A raw copy of a projection's own, which takes the other one's place together with it.
CREATE TABLE {schema}.events (LIKE log.events INCLUDING ALL);
ALTER INDEX {schema}.events_task_id_sequence_idx RENAME TO events_of_task

-- name: keep_older
-- What is older than the log stays as it is.
INSERT INTO {schema}.events SELECT * FROM log.events WHERE sequence < $1

-- name: swap_raw
ALTER TABLE log.events SET SCHEMA {retired};
ALTER TABLE {schema}.events SET SCHEMA log;
COMMENT ON TABLE log.events IS 'Every event as it came: audit, cheap rebuild, second copy of the log.'
