-- The archive of finished tasks: what is written to segments, what is pruned, what is read again.
-- {columns} are those of `tasks`.

-- name: begin
INSERT INTO archive.state DEFAULT VALUES ON CONFLICT (only_row) DO NOTHING

-- name: state
SELECT segments, sequence, raw_changes, in_hand, held_at_build FROM archive.state

-- name: span
-- What comes next in the raw copy.
SELECT sequence, task_id, logtime FROM log.events WHERE sequence > $1 ORDER BY sequence LIMIT $2

-- name: postponed
-- Those whose parked events are parked no more.
SELECT p.task_id::text AS task_id FROM archive.postponed p
WHERE NOT EXISTS (SELECT FROM live.parked e WHERE e.task_id = p.task_id::text)
ORDER BY p.task_id LIMIT $1

-- name: ready
-- Of some tasks ($1), each with the last event of it that was met ($2; NULL where any will do), those
-- that have ended and of which nothing later is known: up to where segments have them, and what is
-- to be written.
SELECT t.task_id::text AS task_id, t.sequence, u.met, coalesce(w.through, 0) AS written,
    greatest(n.through, w.through) AS through, n.bytes,
    EXISTS (SELECT FROM live.parked p WHERE p.task_id = t.task_id::text) AS is_parked
FROM unnest($1::uuid[], $2::bigint[]) u (task_id, met)
JOIN live.tasks t ON t.task_id = u.task_id
CROSS JOIN LATERAL (
    SELECT max(c.through) AS through FROM archive.contents c WHERE c.task_id = t.task_id) w
CROSS JOIN LATERAL (
    SELECT max(e.sequence) AS through, coalesce(sum(octet_length(e.payload)), 0)::bigint AS bytes
    FROM log.events e
    WHERE e.task_id = t.task_id::text AND e.sequence > coalesce(w.through, 0)) n
WHERE t.phase IN ('completed', 'failed', 'cancelled')
  AND (u.met IS NULL OR u.met = greatest(n.through, w.through))
ORDER BY u.met NULLS FIRST

-- name: events
-- The events of some tasks ($1) between what is written of each ($2) and its last ($3).
SELECT e.subject, e.sequence, e.logtime, e.payload, e.event_id
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) u (task_id, written, through)
JOIN log.events e ON e.task_id = u.task_id AND e.sequence > u.written AND e.sequence <= u.through
ORDER BY e.sequence

-- name: add_segment
INSERT INTO archive.segments (segment, key, first, last, tasks, events, bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: add_contents
-- What was erased since the segment was written is to be scrubbed.
INSERT INTO archive.contents (task_id, segment, through, scrub)
SELECT u.task_id, $1, u.through, NOT EXISTS (
    SELECT FROM live.tasks t WHERE t.task_id = u.task_id AND t.phase <> 'erased')
FROM unnest($2::uuid[], $3::bigint[]) u (task_id, through)

-- name: keep_tasks
-- The rows of some tasks ($1) that are still as they were ($2), with nothing told after $3.
INSERT INTO archive.tasks ({columns}, through)
SELECT {t_columns}, u.through
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) u (task_id, sequence, through)
JOIN live.tasks t ON t.task_id = u.task_id AND t.sequence = u.sequence
WHERE t.phase IN ('completed', 'failed', 'cancelled')
  AND NOT EXISTS (
    SELECT FROM log.events e WHERE e.task_id = t.task_id::text AND e.sequence > u.through)
ON CONFLICT (task_id) DO UPDATE SET
    ({columns}, through, pruned) = ROW ({excluded_columns}, excluded.through, false)

-- name: postpone
INSERT INTO archive.postponed (task_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING

-- name: postpone_no_more
DELETE FROM archive.postponed WHERE task_id = ANY($1::uuid[])

-- name: move_on
UPDATE archive.state SET sequence = greatest(sequence, $1), segments = $2, in_hand = NULL

-- name: take_in_hand
-- The object that is about to be written, or none any more.
UPDATE archive.state SET in_hand = $1

-- name: may_be_pruned
-- The archived tasks that come next ($2, $3) of those of which the log has nothing any more ($1 is
-- its first sequence), and whether their rows are still the archived ones.
SELECT a.task_id, a.through, EXISTS (
    SELECT FROM live.tasks t WHERE t.task_id = a.task_id AND t.sequence = a.sequence) AS is_same
FROM (
    SELECT task_id, through, sequence FROM archive.tasks
    WHERE NOT pruned AND through < $1 AND (through, task_id) > ($2, $3)
    ORDER BY through, task_id LIMIT $4) a
ORDER BY a.through, a.task_id

-- name: to_prune
-- Those of some tasks ($2) that can go.
SELECT a.task_id FROM archive.tasks a
JOIN live.tasks t ON t.task_id = a.task_id AND t.sequence = a.sequence
WHERE a.task_id = ANY($2::uuid[]) AND NOT a.pruned AND a.through < $1
  AND NOT EXISTS (
    SELECT FROM log.events e WHERE e.task_id = a.task_id::text AND e.sequence > a.through)
  AND NOT EXISTS (SELECT FROM live.parked p WHERE p.task_id = a.task_id::text)

-- name: prune
WITH rows_gone AS (
    DELETE FROM live.tasks WHERE task_id = ANY($1::uuid[])
), events_gone AS (
    DELETE FROM log.events WHERE task_id = ANY($2::text[])
), told AS (
    UPDATE archive.tasks SET pruned = true WHERE task_id = ANY($1::uuid[]) RETURNING type
), counted AS (
    UPDATE archive.state SET raw_changes = raw_changes + 1
)
INSERT INTO archive.pruned_types (type) SELECT DISTINCT type FROM told ON CONFLICT DO NOTHING

-- name: to_scrub
-- The first segment with events of erased tasks, and which those are; but for some ($1). It may be
-- none of ours.
SELECT c.segment, s.key, array_agg(c.task_id::text) AS task_ids
FROM archive.contents c LEFT JOIN archive.segments s USING (segment)
WHERE c.scrub AND c.segment = (
    SELECT min(segment) FROM archive.contents WHERE scrub AND segment <> ALL($1::bigint[]))
GROUP BY c.segment, s.key

-- name: scrubbed
DELETE FROM archive.contents WHERE segment = $1 AND task_id = ANY($2::uuid[])

-- name: replace_segment
UPDATE archive.segments SET first = $2, last = $3, tasks = $4, events = $5, bytes = $6
WHERE key = $1

-- name: drop_segment
DELETE FROM archive.segments WHERE key = $1

-- name: has_others
-- Whether a segment has tasks that are not erased. No index tells those of a segment: they are looked
-- for where its number of tasks does not say so.
SELECT CASE
    WHEN s.tasks > (SELECT count(*) FROM archive.contents c WHERE c.segment = s.segment AND c.scrub)
    THEN true
    ELSE EXISTS (SELECT FROM archive.contents c WHERE c.segment = s.segment AND NOT c.scrub) END
FROM archive.segments s WHERE s.key = $1

-- name: forget
-- Erased tasks leave the archive: the row now, the events as soon as their segments are scrubbed.
WITH gone AS (DELETE FROM archive.tasks WHERE task_id = ANY($1::uuid[])),
settled AS (DELETE FROM archive.postponed WHERE task_id = ANY($1::uuid[]))
UPDATE archive.contents SET scrub = true WHERE task_id = ANY($1::uuid[]) AND NOT scrub

-- name: load_tasks
-- What the projector goes on from where a task has no row of its own. Those of $2 begin in the batch:
-- they can only have been here before if they were pruned.
SELECT {columns} FROM archive.tasks
WHERE task_id = ANY($1::uuid[]) OR task_id = ANY($2::uuid[]) AND pruned

-- name: thaw
UPDATE archive.tasks SET pruned = false WHERE task_id = ANY($1::uuid[])

-- name: segments_of
-- Where the events of an owner's task are, in order.
SELECT s.key FROM archive.contents c JOIN archive.segments s USING (segment)
WHERE c.task_id = $1::uuid AND NOT c.scrub AND EXISTS (
    SELECT FROM archive.tasks a WHERE a.task_id = $1::uuid AND a.owner = $2)
ORDER BY c.through

-- name: bases
-- Rows of some tasks ($1) from before the first event of each that the raw copy has ($2), and those
-- whose rows are newer: of these only segments tell what was before.
SELECT {columns}, a.through < u.first AS is_before
FROM unnest($1::uuid[], $2::bigint[]) u (task_id, first)
JOIN archive.tasks a USING (task_id)

-- name: dropped_of
-- What operators dropped of a task is not of its history.
SELECT subject, logtime FROM log.dead_letters WHERE task_id = $1 AND action = 'dropped'

-- name: totals
SELECT count(*) AS segments,
    coalesce(sum(events), 0)::bigint AS events, coalesce(sum(bytes), 0)::bigint AS bytes,
    (SELECT count(*) FROM archive.contents WHERE scrub) AS to_scrub,
    (SELECT count(*) FROM archive.postponed) AS postponed
FROM archive.segments

-- name: kept
-- Tasks that the archive has, and those of them that are nowhere else: up to $1 of a kind they are
-- counted, beyond that it is what the last vacuum found in an index of theirs.
WITH counted AS (
    SELECT (SELECT count(*) FROM (
            SELECT FROM archive.tasks WHERE pruned
            ORDER BY owner, created_at DESC, task_id DESC LIMIT $1 + 1) p) AS pruned,
        (SELECT count(*) FROM (
            SELECT FROM archive.tasks WHERE NOT pruned ORDER BY through LIMIT $1 + 1) h) AS hot
), told AS (
    SELECT CASE WHEN pruned <= $1 THEN pruned ELSE greatest(pruned, (
            SELECT reltuples FROM pg_class WHERE oid = 'archive.archive_history'::regclass)::bigint)
            END AS pruned,
        CASE WHEN hot <= $1 THEN hot ELSE greatest(hot, (
            SELECT reltuples FROM pg_class WHERE oid = 'archive.archive_to_prune'::regclass)::bigint)
            END AS hot
    FROM counted
)
SELECT pruned + hot AS tasks, pruned, greatest(pruned, hot) > $1 AS about FROM told

-- name: next_logtime
-- Since when the first event is in the log that was not looked at yet.
SELECT logtime FROM log.events WHERE sequence > $1 ORDER BY sequence LIMIT 1

-- name: list_segments
SELECT segment, key, first, last, tasks, events, bytes, written_at FROM archive.segments
WHERE segment > $1 ORDER BY segment LIMIT $2

-- name: number_of
SELECT segment FROM archive.segments WHERE key = $1

-- name: not_to_import
-- Of some tasks those that are not lost, and those that are erased.
SELECT task_id::text FROM archive.tasks WHERE task_id = ANY($1::uuid[])
UNION SELECT task_id::text FROM live.tasks WHERE task_id = ANY($1::uuid[]) AND phase = 'erased'

-- name: import_events
INSERT INTO log.events (sequence, logtime, task_id, event_id, subject, payload)
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::bytea[])
ON CONFLICT (sequence) DO NOTHING

-- name: other_events
-- Sequences at which the raw copy has other events.
SELECT e.sequence FROM unnest($1::bigint[], $2::text[], $3::text[]) u (sequence, subject, event_id)
JOIN log.events e USING (sequence)
WHERE (e.subject, e.event_id) <> (u.subject, u.event_id) ORDER BY 1 LIMIT 1

-- name: import_contents
INSERT INTO archive.contents (task_id, segment, through, scrub)
SELECT u.task_id, $1, u.through, EXISTS (
    SELECT FROM live.tasks t WHERE t.task_id = u.task_id AND t.phase = 'erased')
FROM unnest($2::uuid[], $3::bigint[]) u (task_id, through)
ON CONFLICT DO NOTHING

-- name: hold
-- What was imported is to be made into rows before anything is archived again.
UPDATE archive.state SET segments = $1, sequence = least(sequence, $2), raw_changes = raw_changes + 1,
    held_at_build = (SELECT build FROM live.checkpoint)

-- name: pass_by
-- All that the log had up to an imported event has been read; a rebuild goes as far as the checkpoint.
UPDATE live.checkpoint SET sequence = $1, logtime = greatest(logtime, $2) WHERE sequence < $1
