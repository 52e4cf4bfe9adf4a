-- What the database has of an owner. {table} comes from `tables_of_tasks` or `tables_of_events`.

-- name: tables_of_tasks
-- The live rows, those of the archive, old ones that were kept, and those of a rebuild that was
-- broken off.
SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
WHERE tablename = 'tasks' AND schemaname ~ '^(live|archive|(retired|rebuild)_[0-9]+)$' ORDER BY name

-- name: tables_of_events
-- Every table of ours that has events in it: the raw copy, what was parked, and whatever comes.
SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname ~ '^(live|log|(retired|rebuild)_[0-9]+)$' AND 3 = (
    SELECT count(*) FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attname IN ('sequence', 'task_id', 'payload'))
ORDER BY name

-- name: owned_tasks
-- The tasks of an owner ($1), or one task ($2). A bare row has nothing that a user gave or got.
SELECT task_id::text AS task_id, owner, type, status,
    phase = 'erased' AND prompt IS NULL AND prompt_id IS NULL AND reference_images = '[]'
        AND provider_params::jsonb = '{{}}' AND metadata::jsonb = '{{}}' AND body_sha256 = ''
        AND provider IS NULL AND external_task_id IS NULL AND handle IS NULL AND error IS NULL
        AND artifacts::jsonb = '[]' AND late_artifacts::jsonb = '[]' AS bare
FROM {table} WHERE owner = $1 OR task_id = $2::uuid

-- name: to_scrub
-- Those of some tasks that segments of the archive are still to be rid of.
SELECT c.task_id::text AS task_id, concat_ws(' ', c.segment, s.key) AS segment
FROM archive.contents c LEFT JOIN archive.segments s USING (segment)
WHERE c.scrub AND c.task_id::text = ANY($1::text[]) ORDER BY c.segment

-- name: drop_rows
DELETE FROM {table} WHERE task_id::text = ANY($1::text[])

-- name: naming_events
-- The events of some tasks ($1), and all that have one of some words ($2) in them.
SELECT sequence, task_id, payload FROM {table}
WHERE payload IS NOT NULL AND (task_id = ANY($1::text[])
    OR EXISTS (SELECT FROM unnest($2::bytea[]) word WHERE position(word IN payload) > 0))

-- name: drop_events
DELETE FROM {table} WHERE sequence = ANY($1::bigint[]) AND task_id = ANY($2::text[])
