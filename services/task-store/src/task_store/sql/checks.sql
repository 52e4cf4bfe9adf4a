-- What is looked at to see whether something is wrong. All but those that read a whole range of the
-- raw copy are bounded, however many tasks there are.

-- name: known_tasks
-- Which of some tasks are known, and in which phase: the one place that says so. One that has events
-- and no row is known, too: they may be parked. So is one that was pruned.
SELECT u.task_id, coalesce(t.phase, a.phase) AS phase
FROM unnest($1::text[]) u (task_id) LEFT JOIN tasks t ON t.task_id = u.task_id::uuid
LEFT JOIN archive.tasks a ON a.task_id = u.task_id::uuid
WHERE t.task_id IS NOT NULL OR a.task_id IS NOT NULL
    OR EXISTS (SELECT FROM log.events e WHERE e.task_id = u.task_id)

-- name: clock
SELECT clock_timestamp() AS now, current_setting('server_version_num')::integer AS version

-- name: lines_in_use
-- The lanes in which tasks are that have not ended.
SELECT type, lane FROM lanes WHERE waiting > 0 OR running > 0 ORDER BY type, lane

-- name: waiting_in_line
-- Of each lane ($1, $2): the first tasks in line whose request is at or before a sequence ($3), at
-- most $6; and how many have theirs behind that, up to ($4) and after the last that was given out,
-- up to the log's end ($5), at most $7. What waits behind a parked event is not known.
SELECT l.type, l.lane, ARRAY(
        SELECT t.task_id::text FROM tasks t
        WHERE t.phase = 'waiting' AND t.type = l.type AND t.lane = l.lane AND t.ticket <= l.floor
          AND NOT EXISTS (SELECT FROM parked p WHERE p.task_id = t.task_id::text)
        ORDER BY t.ticket LIMIT $6) AS dropped,
    (SELECT count(*) FROM (
        SELECT FROM tasks t
        WHERE t.phase = 'waiting' AND t.type = l.type AND t.lane = l.lane
          AND t.ticket > l.floor AND t.ticket <= l.delivered
          AND NOT EXISTS (SELECT FROM parked p WHERE p.task_id = t.task_id::text)
        LIMIT $7) given) AS given,
    (SELECT count(*) FROM (
        SELECT FROM tasks t
        WHERE t.phase = 'waiting' AND t.type = l.type AND t.lane = l.lane
          AND t.ticket > l.delivered AND t.ticket <= $5
          AND NOT EXISTS (SELECT FROM parked p WHERE p.task_id = t.task_id::text)
        LIMIT $7) ahead) AS ahead
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) l (type, lane, floor, delivered)

-- name: longest_unheard
-- The tasks in work of which nothing was heard for longest, with the sequence of their request.
SELECT t.task_id::text AS task_id, t.type, t.lane, (
    SELECT max(e.sequence) FROM log.events e
    WHERE e.task_id = t.task_id::text AND e.subject LIKE 'generation.requested.%') AS ticket
FROM (
    SELECT task_id, type, lane, heard_at FROM tasks
    WHERE phase IN ('running', 'backing_off')
      AND NOT EXISTS (SELECT FROM parked p WHERE p.task_id = tasks.task_id::text)
    ORDER BY heard_at LIMIT $1) t

-- name: raw_between
SELECT sequence FROM log.events WHERE sequence BETWEEN $1 AND $2 ORDER BY sequence

-- name: raw_among
SELECT sequence FROM log.events WHERE sequence = ANY($1::bigint[]) ORDER BY sequence

-- name: raw_gaps
-- Runs of sequences that the raw copy has no event of, between two. Reads all of it that is there.
SELECT before + 1 AS first, sequence - 1 AS last
FROM (
    SELECT sequence, lag(sequence, 1, $1 - 1) OVER (ORDER BY sequence) AS before
    FROM (SELECT sequence FROM log.events WHERE sequence BETWEEN $1 AND $2
          UNION ALL SELECT $2 + 1) ends
) steps
WHERE sequence > before + 1
ORDER BY sequence

-- name: keep_events
-- Events that the raw copy lacks, as they are in the log.
INSERT INTO log.events (sequence, logtime, task_id, event_id, subject, payload)
SELECT u.* FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[],
                       $6::bytea[]) u
ON CONFLICT (sequence) DO NOTHING
