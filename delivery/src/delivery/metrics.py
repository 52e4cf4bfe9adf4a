"""What the bus cost: retries, refusals and leases, counted."""

from prometheus_client import Counter, Gauge

PUBLISHED = Counter("darkroom_events_published", "Events acknowledged by the log.", ["type"])
PUBLISH_RETRIES = Counter(
    "darkroom_publish_retries", "Publishes repeated with the same event id.", ["reason"]
)
PUBLISH_CONFLICTS = Counter(
    "darkroom_publish_conflicts",
    "Publishes that the log refused because another message had come first.",
    ["type"],
)
ENDS = Counter("darkroom_ends", "Ends that this process told, won or lost.", ["outcome"])
CONSUMER_RESTARTS = Counter(
    "darkroom_consumer_restarts", "Reads of the log begun anew.", ["consumer", "reason"]
)
REDELIVERIES = Counter("darkroom_redeliveries", "Requests delivered more than once.", ["lane"])
LEASES = Gauge("darkroom_leases", "Requests held by this process.", ["lane"])
