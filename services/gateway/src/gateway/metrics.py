"""What the gateway counts. Never by owner or task: their numbers have no bound."""

from prometheus_client import Counter, Gauge, Histogram

_LATENCIES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)

ACCEPTED = Counter("darkroom_tasks_accepted", "Tasks that the log took.", ["type"])
SUBMIT_SECONDS = Histogram(
    "darkroom_submit_seconds",
    "From the request to its event on disk in the log.",
    buckets=_LATENCIES,
)
RESPONSES = Counter("darkroom_http_responses", "Answers given.", ["route", "status"])
PROBLEMS = Counter("darkroom_http_problems", "Problems told to callers.", ["code"])
WAITS = Gauge("darkroom_waits", "Requests that wait for a task to move.")
LIVE_GAPS = Counter("darkroom_live_gaps", "Times that live events were missed and read again.")
UPLOADS_SWEPT = Counter("darkroom_uploads_swept", "Expired uploads removed.")
STREAMS = Gauge("darkroom_streams", "Connections that follow tasks.", ["kind"])
STREAMS_ENDED = Counter("darkroom_streams_ended", "Connections that followed, ended.", ["reason"])
STREAM_MESSAGES = Counter("darkroom_stream_messages", "Messages handed to connections.")
STREAM_RESETS = Counter("darkroom_stream_resets", "Times that a follower had to begin anew.")
