-- What a backup takes of the database besides the events, and where a restore finds it empty.

-- name: be_patient
SET LOCAL lock_timeout = '3s'

-- name: be_alone
SELECT pg_advisory_lock($1)

-- name: segments
SELECT key FROM archive.segments

-- name: tables
-- Every table that no log makes again: whatever is in the schemas `log` and `archive`, but for the
-- events. Of a partitioned one the whole, not its parts.
SELECT n.nspname::text AS schema, c.relname::text AS name, array_agg(a.attname::text ORDER BY a.attnum)
    AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname IN ('log', 'archive') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND (n.nspname, c.relname) <> ('log', 'events')
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY 1, 2 ORDER BY 1, 2

-- name: tables_of_tasks
-- Every table of ours that tells of tasks.
SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname IN ('live', 'log', 'archive') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attname = 'task_id' AND NOT a.attisdropped
ORDER BY 1

-- name: count
SELECT count(*) FROM {table}

-- name: counters
-- The sequences behind identity columns of a table, and the column that each one numbers.
SELECT a.attname::text AS column, pg_get_serial_sequence(c.oid::regclass::text, a.attname) AS counter
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.oid = $1::text::regclass AND a.attidentity <> ''

-- name: count_on
-- The next row gets a number that none has.
SELECT setval($1::text::regclass, (SELECT coalesce(max({column}), 0) + 1 FROM {table}), false)

-- name: begin_at
-- The projection is of a log that is not there: what it is of is brought back next.
UPDATE live.checkpoint SET stream_created = $1, sequence = $2, logtime = $3
