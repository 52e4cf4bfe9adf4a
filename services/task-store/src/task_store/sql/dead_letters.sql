-- Parked events: what operators see of them, and how they are tried again or dropped.

-- name: load_dropped
-- A restored log has other sequences; subject and time stay.
SELECT subject, logtime FROM log.dead_letters WHERE action = 'dropped'

-- name: chosen_tasks
-- Tasks with parked events, in the order in which these came: of some sequences, one task, or one
-- reason, or all of them.
SELECT task_id, min(sequence) AS first
FROM parked
WHERE ($1::bigint[] IS NULL OR task_id IN (SELECT task_id FROM parked WHERE sequence = ANY($1)))
  AND ($2::text IS NULL OR task_id = $2)
  AND ($3::text IS NULL
       OR task_id IN (SELECT task_id FROM parked WHERE behind IS NULL AND starts_with(reason, $3)))
GROUP BY task_id HAVING min(sequence) > $4
ORDER BY 2 LIMIT $5

-- name: absent
-- Those of some sequences at which nothing is parked.
SELECT sequence FROM unnest($1::bigint[]) sequence
WHERE NOT EXISTS (SELECT FROM parked p WHERE p.sequence = sequence.sequence)

-- name: parked_of_tasks
SELECT p.sequence, p.task_id, p.reason, p.logtime, p.subject, p.payload,
    coalesce(e.event_id, '') AS event_id
FROM parked p LEFT JOIN log.events e USING (sequence)
WHERE p.task_id = ANY($1::text[])
ORDER BY p.sequence

-- name: unpark
DELETE FROM parked WHERE task_id = ANY($1::text[])

-- name: keep_audit
-- Subject, time and payload are taken before the event leaves the parked ones.
INSERT INTO log.dead_letters
    (who, action, note, sequence, outcome, task_id, reason, logtime, subject, payload)
SELECT $1, u.action, CASE WHEN u.action = 'dropped' THEN $2 END, u.sequence, u.outcome,
    p.task_id, p.reason, p.logtime, p.subject, p.payload
FROM unnest($3::text[], $4::bigint[], $5::text[]) WITH ORDINALITY
    u (action, sequence, outcome, nth) JOIN parked p USING (sequence)
ORDER BY nth

-- name: forget_payloads
-- What erased tasks were about goes from the audit, too.
UPDATE log.dead_letters SET payload = NULL WHERE task_id = ANY($1::text[])

-- name: list_parked
-- Events that could not be applied, each with what waits behind it, in the order of the log.
SELECT p.sequence, p.task_id, p.reason, p.subject, p.payload, p.logtime AS first_at,
    coalesce(tried.last_at, p.logtime) AS last_at, 1 + tried.count AS tries,
    (SELECT count(*) FROM parked b WHERE b.task_id = p.task_id AND b.behind = p.sequence)
        AS waiting
FROM parked p CROSS JOIN LATERAL (
    SELECT count(*), max(d.at) AS last_at FROM log.dead_letters d
    WHERE d.subject = p.subject AND d.logtime = p.logtime AND d.action = 'retried') tried
WHERE p.behind IS NULL AND p.sequence > $1
  AND ($2::text IS NULL OR starts_with(p.reason, $2))
  AND ($3::text IS NULL OR p.task_id = $3)
ORDER BY p.sequence LIMIT $4

-- name: show_parked
SELECT p.sequence, p.task_id, p.reason, p.behind, p.subject, p.payload, p.logtime AS first_at,
    coalesce(tried.last_at, p.logtime) AS last_at, 1 + tried.count AS tries
FROM parked p CROSS JOIN LATERAL (
    SELECT count(*), max(d.at) AS last_at FROM log.dead_letters d
    WHERE d.subject = p.subject AND d.logtime = p.logtime AND d.action = 'retried') tried
WHERE p.sequence = $1

-- name: waiting_behind
SELECT sequence, logtime, subject, payload FROM parked WHERE task_id = $1 AND behind = $2
ORDER BY sequence LIMIT $3

-- name: list_dropped
SELECT sequence, task_id, reason, subject, payload, logtime AS first_at, at AS last_at, who, note
FROM log.dead_letters
WHERE action = 'dropped' AND sequence > $1
  AND ($2::text IS NULL OR starts_with(reason, $2))
  AND ($3::text IS NULL OR task_id = $3)
ORDER BY sequence LIMIT $4

-- name: audit_of_event
SELECT at, who, action, note, reason, outcome FROM log.dead_letters WHERE sequence = $1 ORDER BY id

-- name: note_exhausted
-- The broker may tell it again after the consumer was reset: then it is open again.
INSERT INTO log.exhausted_deliveries AS e (consumer, sequence, deliveries, first_at, last_at)
VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (consumer, sequence) DO UPDATE SET
    deliveries = excluded.deliveries, last_at = greatest(e.last_at, excluded.last_at),
    closed_at = NULL, closed_by = NULL, note = NULL
WHERE e.last_at < excluded.last_at

-- name: list_exhausted
-- The event comes from the raw copy; an erased one is not there any more.
SELECT x.consumer, x.sequence, x.deliveries, x.first_at, x.last_at, e.task_id, e.subject, e.payload
FROM log.exhausted_deliveries x LEFT JOIN log.events e USING (sequence)
WHERE x.closed_at IS NULL AND ($1::bigint IS NULL OR x.sequence = $1)
  AND ($2::text IS NULL OR e.task_id = $2)
ORDER BY x.sequence, x.consumer LIMIT $3

-- name: exhausted
-- Those of some sequences of which a subscriber's deliveries are used up.
SELECT DISTINCT sequence FROM log.exhausted_deliveries
WHERE closed_at IS NULL AND sequence = ANY($1::bigint[])

-- name: close_exhausted
UPDATE log.exhausted_deliveries SET closed_at = clock_timestamp(), closed_by = $2, note = $3
WHERE closed_at IS NULL AND sequence = ANY($1::bigint[])
