"""What the reaper counts. Verdicts and seconds; never a task or an owner."""

from prometheus_client import Counter, Gauge, Histogram

SWEEPS = Counter("darkroom_reaper_sweeps", "Sweeps carried through.")
ERRORS = Counter("darkroom_reaper_errors", "Sweeps, or single tasks of one, that failed.", ["kind"])
CANDIDATES = Counter("darkroom_reaper_candidates", "Tasks that were looked at.")
TIMED_OUT = Counter("darkroom_reaper_timed_out", "Tasks ended for their silence.", ["reason"])
UPLOADS_FAILED = Counter("darkroom_reaper_uploads_failed", "Tasks ended for want of a photo.")
RELEASED = Counter("darkroom_reaper_released", "Tasks put in line when they were due.")
LOST = Counter("darkroom_reaper_lost_races", "Verdicts that somebody else was faster than.")
SWEEP_SECONDS = Histogram("darkroom_reaper_sweep_seconds", "Seconds that a sweep took.")
LAST_SWEEP_AGE = Gauge("darkroom_reaper_last_sweep_age_seconds", "Seconds since the last sweep.")
