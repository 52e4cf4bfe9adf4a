"""What services ask the task-store over NATS request-reply, and what it answers.

Requests and replies are JSON, a long reply in several messages (`delivery.requests.respond`). A
reply is either ``{"ok": …}`` or ``{"error": CODE}``. Records are tasks as of `records`, with
``queue_position`` and ``eta_seconds`` added, and ``parked_since`` where the task waits behind an
event that could not be applied.
"""

from __future__ import annotations

from typing import Final

QUEUE_GROUP: Final = "task-store"

GET: Final = "task-store.get"
"""``{"task_ids": [...]}`` -> ``{"records": {task_id: record}, "sequence": checkpoint}``.

Unknown ids are absent. Erased tasks are there, with ``phase`` erased. At most 500 ids."""

PROCESSING: Final = "task-store.processing"
"""``{"owner", "type"?, "status"?, "sequence", "created"?}`` -> ``{"records": [...]}``: every task
of the owner that is not terminal, oldest first, once the projection has passed ``sequence`` (error
``behind`` after 2 s).

``created`` is when the stream of that sequence was created: the projection of another one, however
far it has come, is behind."""

SNAPSHOT: Final = "task-store.snapshot"
"""``{"owner", "type"?, "sequence", "after"?, "until"?, "limit"}`` ->
``{"sequence": checkpoint, "records": [...], "more"}``: what `PROCESSING` answers, by ascending
``sequence`` of the tasks and as of one checkpoint, in pages.

A further page has the tasks whose sequence is over ``after``, the last of the page before, and not
over ``until``, the checkpoint of the first page: what changed since then is told by `CHANGES`."""

CHANGES: Final = "task-store.changes"
"""``{"owner", "type"?, "sequence", "after", "limit"}`` -> ``{"through", "events": [{"task_id",
"sequence", "logtime", "event"}], "bases": [...]}``: the raw copy of what happened to the owner's
tasks after ``after``, up to ``through``, once the projection has passed ``sequence`` (error
``behind`` after 2 s). Ask again from ``through`` until it has reached ``sequence``.

Of each task that is told of, the events from its beginning are there as well, in order, so that
they can be folded. What can't be decoded is there as null. Of a task whose beginning left the raw
copy, ``bases`` has the record that its events follow on."""

PLACES: Final = "task-store.places"
"""``{"owners": [...], "from": [[type, lane, ticket]]}`` -> ``{"sequence": checkpoint, "places":
[[task_id, owner, type, place, eta_seconds]], "next": [[type, lane, ticket]]}``: where the owners'
tasks are in line, nearest first: of each lane the first few hundred, and as many again that come
after the ticket in ``from``. ``next`` has the lanes that go on behind that."""

HISTORY: Final = "task-store.history"
"""``{"owner", "type"?, "status"?, "prompt_id"?, "limit", "after": [created_at, task_id]?,
"sequence"?, "created"?}`` -> ``{"records": [...], "next": [created_at, task_id]?}``, newest first.

With ``sequence`` once the projection has passed that, as for `PROCESSING`; after half a second as
far as it is."""

EVENTS: Final = "task-store.events"
"""``{"task_id", "owner"}`` -> ``{"events": [{"sequence", "logtime", "event"}], "dropped":
[logtime]}``: the raw copy, and what the archive has from before it, without what was dropped; and
when the log had stored that."""

LINES: Final = "task-store.lines"
"""``{"least"?, "since"?}`` -> ``{"sequence", "waiting": {type: n}, "lanes": [{"type", "lane",
"waiting", "running", "finished", "mean_s", "served_at"}], "shares": [[type, owner, provider,
waiting, band]]}``: of the owners, those that have ``least`` or more waiting, or any in a band
behind the first; ``band`` is the last one that they wait in. With ``since`` each lane tells since
when its first task waits."""

PROVIDERS: Final = "task-store.providers"
"""``{}`` -> ``{"providers": [{"type", "lane", "finished", "completed", "p50_s", "p95_s"}]}``: what
the last tasks of each provider came to; ``lane`` is its first. ``finished`` are those that were
completed, and those that failed by nobody's fault but the provider's or ours; seconds are from
their start to their end."""

SILENT: Final = "task-store.silent"
"""The reaper's question: ``{"log_sequence", "log_now", "watching_since", "timeout_s",
"deadline_s", "types": {type: [timeout_s, deadline_s]}, "excused"?: {lane: time}, "photo_ttl_s",
"limit"}`` ->
``{"now", "sequence", "records": [...]}``.

``log_sequence`` and ``log_now`` are the end of the log and the broker's clock. ``now`` in the
answer is ``log_now`` if the projection has reached that sequence, else the time of the last event
applied. ``watching_since`` is when the reaper began to watch without interruption: waiting tasks
are not silent for longer than that, nor are those of a lane that nobody could serve until it was
``excused``. The records are candidates, the longest silent first, each
with its lane's ``served_at``; what is due (``run_at``, or a photo that has come) is among them,
tasks with parked events are not."""

REFERENCED: Final = "task-store.referenced"
"""``{"keys": [...], "sequence", "created"?}`` -> ``{"keys": [...]}``: those that a task refers to,
once the projection has passed ``sequence``, as in `PROCESSING`."""

DEAD_LETTERS: Final = "task-store.dead-letters"
"""``{"reason"?, "task_id"?, "after"?, "limit"?, "dropped"?}`` -> ``{"dead_letters": [{"sequence",
"task_id", "type", "reason", "subject", "first_at", "last_at", "tries", "waiting"}], "next",
"events", "tasks", "oldest"}``: events that could not be applied, in the order of the log, of those
whose reason begins so; ``waiting`` is how many later ones of the task wait behind it. Ask again
with ``after`` = ``next`` for more. The last three count all that is parked.

With ``dropped`` those that were dropped, with ``who`` and ``note``. ``exhausted`` are events of
which a subscriber's deliveries are used up: ``{"consumer", "sequence", "deliveries", "first_at",
"last_at", "task_id", "type", "subject"}``."""

DEAD_LETTER: Final = "task-store.dead-letter"
"""``{"sequence"}`` -> one of them, with its ``event`` as text, ``waiting_behind`` and ``audit``;
null if there is none. Of what was dropped long ago ``waiting_behind`` is absent."""

RETRY_DEAD_LETTERS: Final = "task-store.retry-dead-letters"
"""``{"who", "sequences"? | "task_id"? | "reason"? | "all"?, "after"?}`` -> ``{"tried", "applied",
"dropped", "parked", "absent": [sequence], "exhausted": [sequence], "following"}``: apply them as if
they came now, each task in the order of the log. ``parked`` still are, with what waits behind them.
Up to 1,000 tasks; ask again with ``after`` = ``following`` for more. What is ``absent`` and
``exhausted`` only the first answer tells: what a part has mended isn't there for the next.

The task-store that projects listens alone. Errors: ``busy`` while a rebuild or a verification is at
work, ``not_projecting``, ``unavailable``; nothing or all of it was done then."""

DROP_DEAD_LETTERS: Final = "task-store.drop-dead-letters"
"""``{"who", "sequences", "note", "after"?}`` -> the same: these are never applied, in no rebuild
either; what waited behind them is, and what is ``exhausted`` is closed. With an ``absent`` sequence
nothing is done."""

STATUS: Final = "task-store.status"
"""``{}`` -> the projection's checkpoint, lag, parked count and whether it is the active one."""

ALL: Final = (
    GET,
    PROCESSING,
    SNAPSHOT,
    CHANGES,
    PLACES,
    HISTORY,
    EVENTS,
    LINES,
    PROVIDERS,
    SILENT,
    REFERENCED,
    DEAD_LETTERS,
    DEAD_LETTER,
    RETRY_DEAD_LETTERS,
    DROP_DEAD_LETTERS,
    STATUS,
)
