"""What the projection counts. Sequences, sizes and seconds; never a task or an owner."""

from prometheus_client import Counter, Gauge, Histogram

APPLIED = Counter("darkroom_projection_events_applied", "Events that changed a task.")
LATE = Counter("darkroom_projection_events_late", "Events that changed nothing: late or repeated.")
PARKED = Counter("darkroom_projection_events_parked", "Events put aside.", ["reason"])
PARKED_NOW = Gauge("darkroom_projection_parked_tasks", "Tasks with parked events.")
SEQUENCE = Gauge("darkroom_projection_sequence", "Log sequence of the checkpoint.")
LAG_EVENTS = Gauge("darkroom_projection_lag_events", "Events of the log not yet applied.")
LAG_SECONDS = Gauge(
    "darkroom_projection_lag_seconds", "Age of the last applied event when it was applied."
)
QUEUE_TASKS = Gauge("darkroom_queue_tasks", "Tasks that wait in a lane.", ["type", "lane"])
QUEUE_AGE = Gauge(
    "darkroom_queue_oldest_age_seconds",
    "For how long the first task of a lane has waited; 0 where none does.",
    ["type", "lane"],
)
RUNNING_TASKS = Gauge("darkroom_running_tasks", "Tasks that are worked on.", ["type", "lane"])
PARKED_EVENTS = Gauge("darkroom_parked_events", "Events that are put aside now.")
PARKED_AGE = Gauge(
    "darkroom_parked_oldest_age_seconds",
    "For how long the oldest parked event has been so; 0 where none is.",
)
ACTIVE = Gauge("darkroom_projection_active", "1 while this process holds the projector's lock.")
HALTED = Gauge("darkroom_projection_halted", "1 while the projector refuses to go on.")
LOST_EVENTS = Gauge(
    "darkroom_projection_missing_events", "Events that left the log before they were applied."
)
CHECK_OK = Gauge(
    "darkroom_check_ok",
    "1 where a check of log, lanes and rows finds nothing wrong, 0 where it does; absent where "
    "nothing can be told, and in a process that does not project.",
    ["check"],
)
RESTARTS = Counter("darkroom_projection_restarts", "Times that reading began anew.", ["reason"])
BATCH_SECONDS = Histogram("darkroom_projection_batch_seconds", "Seconds to write one batch.")
BATCH_EVENTS = Histogram(
    "darkroom_projection_batch_events", "Events in a batch.", buckets=(1, 5, 20, 100, 500, 2000)
)
QUERIES = Counter("darkroom_queries", "Queries answered.", ["subject", "outcome"])
ARCHIVED_TASKS = Counter("darkroom_archive_written_tasks", "Tasks written to the archive.")
ARCHIVED_EVENTS = Counter("darkroom_archive_written_events", "Events written to the archive.")
ARCHIVED_BYTES = Counter("darkroom_archive_written_bytes", "Bytes of them, compressed.")
PRUNED_TASKS = Counter(
    "darkroom_archive_pruned_tasks", "Archived tasks that left the hot tables after the log."
)
SCRUBBED_TASKS = Counter("darkroom_archive_scrubbed_tasks", "Erased tasks taken out of segments.")
ARCHIVE_FAILURES = Counter("darkroom_archive_failures", "Rounds that broke off.", ["reason"])
ARCHIVE_SEGMENTS = Gauge("darkroom_archive_segments", "Objects that the archive has.")
ARCHIVE_BYTES = Gauge("darkroom_archive_bytes", "Their size.")
ARCHIVE_TO_SCRUB = Gauge(
    "darkroom_archive_erased_tasks", "Erased tasks that segments still have events of."
)
ARCHIVE_OVERDUE = Gauge(
    "darkroom_archive_overdue_seconds",
    "For how long the oldest event is due that was not looked at.",
)
