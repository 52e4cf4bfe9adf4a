-- name: make_incoming
-- Where changed tasks land by COPY. NULL from `lane` on: what was asked for is as it was.
CREATE TEMPORARY TABLE IF NOT EXISTS incoming ON COMMIT DELETE ROWS AS
    SELECT task_id, sequence, progress, attempt, updated_at, heard_at, ticket, retry_at, started_at,
        finished_at, phase, status, stage, provider, external_task_id, handle, artifacts,
        late_artifacts, error, lane, prompt, prompt_id, reference_images, provider_params, run_at,
        body_sha256, metadata, created_at
    FROM tasks
WITH NO DATA

-- name: find_by_key
-- The writer's statements find rows by key. Their plans are made once, when tables may be empty.
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off

-- name: settle
-- What is not copied, at the end of a batch: the checkpoint moves on from where this projector left
-- it (else somebody else moved it), changed tasks come from `incoming`, then the places, the lanes,
-- and what was parked. None of the tasks that begin, or that were read before ($29), may be one that
-- was pruned.
WITH advanced AS (
    UPDATE checkpoint SET sequence = $4, logtime = $5
    WHERE sequence = $1 AND build = $2 AND stream = $3
    RETURNING 1
), merged AS (
    UPDATE tasks t SET
        progress = i.progress, attempt = i.attempt, updated_at = i.updated_at,
        heard_at = i.heard_at, ticket = i.ticket, retry_at = i.retry_at,
        started_at = i.started_at, finished_at = i.finished_at, phase = i.phase,
        status = i.status, stage = i.stage, provider = i.provider,
        external_task_id = i.external_task_id, handle = i.handle, artifacts = i.artifacts,
        late_artifacts = i.late_artifacts, error = i.error,
        lane = coalesce(i.lane, t.lane),
        prompt = CASE WHEN i.lane IS NULL THEN t.prompt ELSE i.prompt END,
        prompt_id = CASE WHEN i.lane IS NULL THEN t.prompt_id ELSE i.prompt_id END,
        reference_images = coalesce(i.reference_images, t.reference_images),
        provider_params = coalesce(i.provider_params, t.provider_params),
        run_at = CASE WHEN i.lane IS NULL THEN t.run_at ELSE i.run_at END,
        body_sha256 = coalesce(i.body_sha256, t.body_sha256),
        metadata = coalesce(i.metadata, t.metadata),
        created_at = coalesce(i.created_at, t.created_at), sequence = i.sequence
    FROM incoming i
    WHERE t.task_id = i.task_id AND t.sequence < i.sequence
    RETURNING 1
), counted AS (
    INSERT INTO waiting_counts (type, lane, level, bucket, waiting)
    SELECT u.* FROM unnest($6::text[], $7::text[], $8::smallint[], $9::bigint[], $10::bigint[]) u
    ON CONFLICT (type, lane, level, bucket) DO UPDATE SET waiting = excluded.waiting
), emptied AS (
    DELETE FROM waiting_counts c
    USING unnest($11::text[], $12::text[], $13::smallint[], $14::bigint[])
        u (type, lane, level, bucket)
    WHERE (c.type, c.lane, c.level, c.bucket) = (u.type, u.lane, u.level, u.bucket)
), served AS (
    INSERT INTO lanes (type, lane, waiting, running, finished, mean_s, served_at)
    SELECT u.* FROM unnest($15::text[], $16::text[], $17::bigint[], $18::bigint[], $19::bigint[],
                           $20::float8[], $21::timestamptz[]) u
    ON CONFLICT (type, lane) DO UPDATE SET
        waiting = excluded.waiting, running = excluded.running, finished = excluded.finished,
        mean_s = excluded.mean_s, served_at = excluded.served_at
), put_aside AS (
    INSERT INTO parked (sequence, task_id, reason, behind, logtime, subject, payload)
    SELECT u.* FROM unnest($22::bigint[], $23::text[], $24::text[], $25::bigint[],
                           $26::timestamptz[], $27::text[], $28::bytea[]) u
    ON CONFLICT (sequence) DO NOTHING
)
SELECT (SELECT count(*) FROM advanced) AS advanced, (SELECT count(*) FROM merged) AS merged,
    EXISTS (SELECT FROM archive.tasks a WHERE a.task_id = ANY($29::uuid[]) AND a.pruned) AS archived

-- name: last_raw
SELECT coalesce(max(sequence), 0) FROM {raw}.events

-- name: forget_events
-- The raw copy and the parked events of erased tasks go; the erasure itself stays.
WITH gone AS (
    DELETE FROM {raw}.events e USING unnest($1::text[], $2::bigint[]) u (task_id, sequence)
    WHERE e.task_id = u.task_id AND e.sequence < u.sequence
)
DELETE FROM parked p USING unnest($1::text[], $2::bigint[]) u (task_id, sequence)
WHERE p.task_id = u.task_id AND p.sequence < u.sequence

-- name: load_tasks
-- The rows of some tasks, as the projector needs them.
SELECT * FROM tasks WHERE task_id = ANY($1::uuid[])

-- name: load_checkpoint
SELECT build, stream, stream_created, sequence, logtime FROM checkpoint

-- name: begin_checkpoint
-- A new projection has seen nothing yet; it takes on the stream that it meets first.
INSERT INTO checkpoint (build, stream, stream_created, sequence, logtime)
VALUES ($1, $2, NULL, 0, 'epoch')
ON CONFLICT (only_row) DO NOTHING

-- name: adopt_stream
UPDATE checkpoint SET stream_created = $1 WHERE stream_created IS NULL

-- name: load_counts
SELECT type, lane, level, bucket, waiting FROM waiting_counts

-- name: load_lanes
SELECT type, lane, waiting, running, finished, mean_s, served_at FROM lanes

-- name: load_parked
-- The first parked event of each task: what its later events wait behind.
SELECT task_id, min(sequence) AS sequence FROM parked GROUP BY task_id

-- name: read_tasks
-- Tasks by id, with their place in the line and what their provider is like. A provider's lanes are
-- served one after the other, in the order of their names: `studio`, `studio~1`, `studio~2`.
SELECT t.*, place.ahead, l.mean_s, l.running, CASE WHEN t.status IN ('pending', 'processing') THEN (
    SELECT min(p.logtime) FROM parked p WHERE p.task_id = t.task_id::text) END AS parked_since
FROM {tasks} t
LEFT JOIN LATERAL (
    SELECT sum(b.running)::bigint AS running, sum(b.mean_s * b.finished) / sum(b.finished)
        FILTER (WHERE b.mean_s IS NOT NULL) AS mean_s
    FROM lanes b
    WHERE b.type = t.type AND split_part(b.lane, '~', 1) = split_part(t.lane, '~', 1)
) l ON t.status = 'processing'
LEFT JOIN LATERAL (
    SELECT (SELECT coalesce(sum(b.waiting), 0) FROM lanes b
            WHERE b.type = t.type AND split_part(b.lane, '~', 1) = split_part(t.lane, '~', 1)
              AND b.lane COLLATE "C" < t.lane COLLATE "C")
         + (SELECT coalesce(sum(waiting), 0) FROM waiting_counts c
            WHERE c.type = t.type AND c.lane = t.lane AND c.level = 3 AND c.bucket < t.ticket >> 24)
         + (SELECT coalesce(sum(waiting), 0) FROM waiting_counts c
            WHERE c.type = t.type AND c.lane = t.lane AND c.level = 2
              AND c.bucket >= (t.ticket >> 24) << 8 AND c.bucket < t.ticket >> 16)
         + (SELECT coalesce(sum(waiting), 0) FROM waiting_counts c
            WHERE c.type = t.type AND c.lane = t.lane AND c.level = 1
              AND c.bucket >= (t.ticket >> 16) << 8 AND c.bucket < t.ticket >> 8)
         + (SELECT count(*) FROM tasks w
            WHERE w.phase = 'waiting' AND w.type = t.type AND w.lane = t.lane
              AND w.ticket >= (t.ticket >> 8) << 8 AND w.ticket < t.ticket) AS ahead
) place ON t.phase = 'waiting'
WHERE {condition}

-- name: read_long_lines
-- The same for an owner with many tasks in line: each line is numbered once, not once a task.
WITH line AS MATERIALIZED (
    SELECT task_id, row_number() OVER (
        PARTITION BY type, split_part(lane, '~', 1) ORDER BY lane COLLATE "C", ticket) - 1 AS ahead
    FROM tasks WHERE phase = 'waiting' AND ($2::text IS NULL OR type = $2)
), served AS (
    SELECT type, split_part(lane, '~', 1) AS provider, sum(running)::bigint AS running,
        sum(mean_s * finished) / sum(finished) FILTER (WHERE mean_s IS NOT NULL) AS mean_s
    FROM lanes GROUP BY 1, 2
)
SELECT t.*, line.ahead, l.mean_s, l.running, (
    SELECT min(p.logtime) FROM parked p WHERE p.task_id = t.task_id::text) AS parked_since
FROM tasks t
LEFT JOIN served l ON l.type = t.type AND l.provider = split_part(t.lane, '~', 1)
LEFT JOIN line ON line.task_id = t.task_id
WHERE {condition}

-- name: count_in_line
-- How many of an owner's tasks wait, as far as it matters.
SELECT count(*) FROM (
    SELECT FROM tasks
    WHERE owner = $1 AND status IN ('pending', 'processing') AND phase = 'waiting'
      AND ($2::text IS NULL OR type = $2)
    LIMIT $3) waiting

-- name: read_checkpoint
SELECT build, stream, stream_created, sequence, logtime FROM checkpoint

-- name: read_events
-- One task's events from the raw copy, if it is the owner's and not erased. What was dropped is not
-- of its history.
SELECT e.subject, e.sequence, e.logtime, e.payload, e.event_id
FROM log.events e
WHERE e.task_id = $1::text
  AND NOT EXISTS (SELECT FROM log.dead_letters d
      WHERE d.subject = e.subject AND d.logtime = e.logtime AND d.action = 'dropped')
  AND EXISTS (SELECT FROM tasks t WHERE t.task_id = $1::text::uuid AND t.owner = $2 AND t.phase <> 'erased')
ORDER BY e.sequence

-- name: read_dropped
SELECT d.logtime FROM log.dead_letters d
WHERE d.task_id = $1::text AND d.action = 'dropped'
  AND EXISTS (SELECT FROM tasks t WHERE t.task_id = $1::text::uuid AND t.owner = $2)

-- name: read_span
-- How far one look into the raw copy reaches: $2 events after $1.
SELECT max(sequence) AS through, count(*) AS events
FROM (SELECT sequence FROM log.events WHERE sequence > $1 ORDER BY sequence LIMIT $2) span

-- name: read_changes
-- What happened to an owner's tasks in a part of the raw copy, at most $5 events of it, with all
-- that had happened to the same tasks before. A parked event may name anything: what is no UUID is
-- found out without a regular expression, which takes longer than all the rest.
WITH span AS MATERIALIZED (
    SELECT sequence, task_id FROM log.events WHERE sequence > $1 AND sequence <= $2
), named AS MATERIALIZED (
    SELECT DISTINCT task_id FROM span
), changed AS MATERIALIZED (
    SELECT span.sequence, span.task_id
    FROM named n
    JOIN tasks t ON t.task_id = CASE
        WHEN n.task_id LIKE '________-____-____-____-____________'
            AND length(replace(n.task_id, '-', '')) = 32
            AND translate(n.task_id, '0123456789abcdef-', '') = '' THEN n.task_id::uuid END
    JOIN span ON span.task_id = n.task_id
    WHERE t.owner = $3 AND ($4::text IS NULL OR t.type = $4)
    ORDER BY span.sequence LIMIT $5
)
SELECT e.task_id, e.subject, e.sequence, e.logtime, e.payload,
    (SELECT count(*) FROM changed) AS changed,
    (SELECT max(sequence) FROM changed) AS through
FROM log.events e
WHERE e.task_id IN (SELECT task_id FROM changed)
  AND e.sequence <= (SELECT max(sequence) FROM changed)
ORDER BY e.sequence

-- name: read_places
-- Of each line the first $5 tasks, and $5 that come after a ticket ($2, $3, $4): the places of
-- those that belong to the owners. `last` is the ticket up to which a line was looked at.
WITH line AS (
    SELECT l.type, l.lane, p.mean_s, p.running, l.waiting, greatest(f.ticket, 0) AS start,
        p.before
    FROM lanes l
    CROSS JOIN LATERAL (
        SELECT sum(b.running)::bigint AS running,
            sum(b.mean_s * b.finished) / sum(b.finished) FILTER (WHERE b.mean_s IS NOT NULL) AS mean_s,
            coalesce(sum(b.waiting) FILTER (WHERE b.lane COLLATE "C" < l.lane COLLATE "C"), 0)::bigint AS before
        FROM lanes b
        WHERE b.type = l.type AND split_part(b.lane, '~', 1) = split_part(l.lane, '~', 1)) p
    LEFT JOIN unnest($2::text[], $3::text[], $4::bigint[]) f (type, lane, ticket)
        ON f.type = l.type AND f.lane = l.lane
    WHERE l.waiting > 0
), part AS (
    SELECT type, lane, 0::bigint AS start, 0::bigint AS ahead FROM line
    UNION ALL
    SELECT type, lane, start,
        (SELECT coalesce(sum(waiting), 0) FROM waiting_counts c
            WHERE c.type = line.type AND c.lane = line.lane AND c.level = 3 AND c.bucket < (start + 1) >> 24)
        + (SELECT coalesce(sum(waiting), 0) FROM waiting_counts c
            WHERE c.type = line.type AND c.lane = line.lane AND c.level = 2
              AND c.bucket >= ((start + 1) >> 24) << 8 AND c.bucket < (start + 1) >> 16)
        + (SELECT coalesce(sum(waiting), 0) FROM waiting_counts c
            WHERE c.type = line.type AND c.lane = line.lane AND c.level = 1
              AND c.bucket >= ((start + 1) >> 16) << 8 AND c.bucket < (start + 1) >> 8)
        + (SELECT count(*) FROM tasks w
            WHERE w.phase = 'waiting' AND w.type = line.type AND w.lane = line.lane
              AND w.ticket >= ((start + 1) >> 8) << 8 AND w.ticket <= start)
    FROM line WHERE start > 0
)
SELECT part.type, part.lane, line.mean_s, line.running, line.waiting,
    w.task_id, w.owner, line.before + part.ahead + w.nth AS place, part.ahead + w.nth AS in_lane,
    w.ticket
FROM part JOIN line ON line.type = part.type AND line.lane = part.lane
CROSS JOIN LATERAL (
    SELECT t.task_id, t.owner, t.ticket, row_number() OVER (ORDER BY t.ticket) AS nth,
        lead(t.ticket) OVER (ORDER BY t.ticket) IS NULL AS is_last
    FROM (
        SELECT task_id, owner, ticket FROM tasks
        WHERE phase = 'waiting' AND type = part.type AND lane = part.lane AND ticket > part.start
        ORDER BY ticket LIMIT $5) t
) w
WHERE w.owner = ANY($1) OR w.is_last
ORDER BY place

-- name: read_lines
SELECT l.*, c.sequence
FROM checkpoint c LEFT JOIN lanes l ON true
ORDER BY l.type, l.lane

-- name: read_queues
-- How long each line is, and since when its first task waits.
SELECT l.type, l.lane, l.waiting, l.running, (
    SELECT t.heard_at FROM tasks t
    WHERE t.phase = 'waiting' AND t.type = l.type AND t.lane = l.lane
    ORDER BY t.ticket LIMIT 1) AS since
FROM lanes l

-- name: read_shares
-- What owners have waiting in the lines of a provider: those with $1 tasks or more, or with any that
-- wait behind the front.
SELECT type, owner, max(lane COLLATE "C") AS lane, count(*) AS waiting
FROM tasks WHERE phase = 'waiting'
GROUP BY type, owner, split_part(lane, '~', 1)
HAVING count(*) >= $1 OR max(lane COLLATE "C") <> split_part(max(lane COLLATE "C"), '~', 1)

-- name: read_providers
-- What the last tasks came to, of those that ended within the last $1 events. Seconds from start to
-- end. What a user asked wrongly, or called off, says nothing of a provider.
WITH ended AS (
    SELECT DISTINCT e.task_id::uuid AS task_id
    FROM log.events e, checkpoint c
    WHERE e.sequence > c.sequence - $1 AND e.subject LIKE 'generation.finished.%'
)
SELECT t.type, split_part(t.lane, '~', 1) AS lane, count(*) AS finished,
    count(*) FILTER (WHERE t.phase = 'completed') AS completed,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY s.seconds) AS p50_s,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY s.seconds) AS p95_s
FROM ended JOIN tasks t USING (task_id)
    CROSS JOIN LATERAL (SELECT extract(epoch FROM t.finished_at - t.started_at)::float8) s (seconds)
WHERE t.phase = 'completed' OR t.phase = 'failed' AND t.started_at IS NOT NULL
    AND t.error ->> 'code' NOT IN ('provider_rejected', 'invalid_input', 'cancelled')
GROUP BY t.type, split_part(t.lane, '~', 1)

-- name: read_referenced
-- Which of these keys a task refers to, be it archived. Counted: for the first that is found a scan
-- seems cheap, and reads everything where there is none.
SELECT key FROM unnest($1::text[]) key
WHERE 0 < (
    SELECT count(*) FROM tasks t
    WHERE t.reference_images <> '[]' AND t.reference_images @> jsonb_build_array(key))
  OR 0 < (
    SELECT count(*) FROM archive.tasks t
    WHERE t.reference_images <> '[]' AND t.reference_images @> jsonb_build_array(key))

-- name: read_silent
-- Candidates for the reaper, as of the checkpoint: `now` is the broker's clock if the projection
-- has reached the log's end ($1, $2), else the time of the last event applied. Exactly at a limit
-- is over it. A task with parked events is not known as of the checkpoint, so it is not judged.
-- $11 are the types that wait for a photo; one that has it is due, like one whose `run_at` came.
-- A provider's types share its workers: what one of them tells of any type serves all its lanes.
-- A task between two attempts waits in line again, once the next one is due.
-- $12 are lanes that nobody could serve until $13.
WITH clock AS (
    SELECT c.sequence, CASE WHEN c.sequence >= $1 THEN $2::timestamptz ELSE c.logtime END AS now
    FROM checkpoint c
), limits AS (
    SELECT * FROM unnest($5::text[], $6::float8[], $7::float8[]) u (type, timeout_s, deadline_s)
), service AS (
    SELECT split_part(lane, '~', 1) AS provider, max(served_at) AS last FROM lanes GROUP BY 1
), excused AS (
    SELECT * FROM unnest($12::text[], $13::timestamptz[]) u (lane, until)
), candidates AS (
    SELECT t.task_id, t.heard_at AS since
    FROM tasks t CROSS JOIN clock LEFT JOIN limits k ON k.type = t.type
    LEFT JOIN excused x ON x.lane = split_part(t.lane, '~', 1)
    LEFT JOIN service s ON s.provider = split_part(t.lane, '~', 1)
    WHERE t.phase IN ('pending', 'running', 'backing_off') AND (
        (t.phase <> 'pending' AND greatest(t.heard_at, x.until,
                CASE WHEN t.phase = 'backing_off' THEN greatest(t.retry_at, s.last, $8::timestamptz) END)
            <= clock.now - make_interval(secs => coalesce(k.timeout_s, $3)))
        OR (t.phase <> 'pending' AND t.started_at <= clock.now - make_interval(secs => coalesce(k.deadline_s, $4)))
        OR (t.phase = 'pending' AND CASE WHEN t.type = ANY($11::text[]) AND t.reference_images = '[]'
            THEN greatest(t.heard_at, t.run_at) <= clock.now - make_interval(secs => $10)
            ELSE coalesce(t.run_at, CASE WHEN t.type = ANY($11) THEN t.heard_at END) <= clock.now END))
      AND NOT EXISTS (SELECT FROM parked p WHERE p.task_id = t.task_id::text)
    UNION ALL
    SELECT w.task_id, w.heard_at
    FROM clock CROSS JOIN lanes l JOIN service s ON s.provider = split_part(l.lane, '~', 1)
    LEFT JOIN limits k ON k.type = l.type
    LEFT JOIN excused x ON x.lane = split_part(l.lane, '~', 1)
    CROSS JOIN LATERAL (
        SELECT t.task_id, t.heard_at FROM tasks t
        WHERE t.phase = 'waiting' AND t.type = l.type AND t.lane = l.lane
          AND t.heard_at <= clock.now - make_interval(secs => coalesce(k.timeout_s, $3))
          AND NOT EXISTS (SELECT FROM parked p WHERE p.task_id = t.task_id::text)
        ORDER BY t.ticket LIMIT $9) w
    WHERE l.waiting > 0
      AND greatest(s.last, $8::timestamptz, x.until) <= clock.now - make_interval(secs => coalesce(k.timeout_s, $3))
)
SELECT t.*, s.last AS served_at, clock.now AS clock_now, clock.sequence AS clock_sequence
FROM clock
LEFT JOIN LATERAL (SELECT * FROM candidates ORDER BY since LIMIT $9) chosen ON true
LEFT JOIN tasks t ON t.task_id = chosen.task_id
LEFT JOIN service s ON s.provider = split_part(t.lane, '~', 1)
ORDER BY chosen.since

-- name: count_parked
SELECT count(*) AS events, count(DISTINCT task_id) AS tasks, min(logtime) AS oldest FROM parked
