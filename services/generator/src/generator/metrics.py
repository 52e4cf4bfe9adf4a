"""What the generator counts: attempts, provider time, slots. Never a task or an owner."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "darkroom_attempts",
    "Attempts that this process made, by how they ended.",
    ["provider", "outcome"],
)
PROVIDER_SECONDS = Histogram(
    "darkroom_provider_seconds",
    "Seconds that a provider took for one attempt, however it ended.",
    ["provider"],
    buckets=(0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 180, 300, 600),
)
RUNNING = Gauge("darkroom_running", "Tasks worked on now.", ["provider"])
WAITING = Gauge("darkroom_waiting_for_slot", "Leases held that have no slot yet.", ["provider"])
RETRIES = Counter("darkroom_retries", "Attempts that another one follows.", ["provider", "code"])
UNKNOWN_SUBMITS = Counter(
    "darkroom_unknown_submits", "Submits of which nobody knows whether they arrived.", ["provider"]
)
BREAKER_CHANGES = Counter(
    "darkroom_breaker_changes", "Changes of a provider's circuit breaker.", ["provider", "state"]
)
BREAKER_OPEN = Gauge(
    "darkroom_breaker_open", "1 while a provider's circuit breaker isn't closed.", ["provider"]
)
REROUTED = Counter(
    "darkroom_rerouted", "Tasks that went to another provider.", ["provider", "substitute"]
)
CELL_CONFLICTS = Counter(
    "darkroom_cell_conflicts",
    "Changes of a value that all generators share that another one was faster with.",
    ["bucket"],
)
LEASE_EXPIRIES = Counter(
    "darkroom_lease_expiries",
    "Requests that came again because whoever worked on them fell silent.",
    ["provider"],
)
PARKED = Counter("darkroom_parked_requests", "Requests that can't be read, put aside.", ["lane"])


# Finding a labelled metric costs more than counting with it, and there are few of them.
attempts = cache(ATTEMPTS.labels)
provider_seconds = cache(PROVIDER_SECONDS.labels)
running = cache(RUNNING.labels)
