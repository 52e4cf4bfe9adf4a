"""Makes the Grafana dashboard: ``python deploy/monitoring/dashboard.py [--check]``.

The JSON beside it is what Grafana imports; it is never edited by hand.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard, prometheus, timeseries
from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef

FILE = Path(__file__).with_name("dashboard.json")
_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


@dataclass(frozen=True)
class Panel:
    """``queries`` are pairs of PromQL and the name of its lines; ``unit`` is Grafana's name."""

    title: str
    about: str
    unit: str
    queries: Sequence[tuple[str, str]]


def _rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}[$__rate_interval]))"


def _quantile(share: float, metric: str, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {_rate(f'{metric}_bucket', labels)})"


ROWS: Sequence[tuple[str, Sequence[Panel]]] = (
    (
        "Tasks",
        (
            Panel(
                "Accepted",
                "Tasks that the log took, by type.",
                "reqps",
                [(_rate("darkroom_tasks_accepted_total", "type"), "{{type}}")],
            ),
            Panel(
                "Events on the log",
                "What happens to tasks, by the kind of event.",
                "reqps",
                [(_rate("darkroom_events_published_total", "type"), "{{type}}")],
            ),
            Panel(
                "A submit, until it is on disk",
                "From the request to its event in the log.",
                "s",
                [
                    (_quantile(0.5, "darkroom_submit_seconds"), "p50"),
                    (_quantile(0.95, "darkroom_submit_seconds"), "p95"),
                    (_quantile(0.99, "darkroom_submit_seconds"), "p99"),
                ],
            ),
            Panel(
                "Answers",
                "HTTP answers by status, and the problems that callers were told.",
                "reqps",
                [
                    (_rate("darkroom_http_responses_total", "status"), "{{status}}"),
                    (_rate("darkroom_http_problems_total", "code"), "{{code}}"),
                ],
            ),
        ),
    ),
    (
        "Lines",
        (
            Panel(
                "Waiting",
                "Tasks in line, by lane. `~1` and `~2` wait behind the front.",
                "short",
                [("max by (type, lane) (darkroom_queue_tasks)", "{{type}} {{lane}}")],
            ),
            Panel(
                "Age of the first in line",
                "For how long the next task of a lane has waited.",
                "s",
                [("max by (type, lane) (darkroom_queue_oldest_age_seconds)", "{{type}} {{lane}}")],
            ),
            Panel(
                "Worked on",
                "Tasks with a slot, and those that hold a lease and wait for one.",
                "short",
                [
                    ("sum by (provider) (darkroom_running)", "{{provider}}"),
                    (
                        "sum by (provider) (darkroom_waiting_for_slot)",
                        "{{provider}}, waiting for a slot",
                    ),
                ],
            ),
            Panel(
                "Leases",
                "Requests that came again, and those of them whose worker fell silent.",
                "reqps",
                [
                    (_rate("darkroom_redeliveries_total", "lane"), "{{lane}} came again"),
                    (_rate("darkroom_lease_expiries_total", "provider"), "{{provider}} expired"),
                ],
            ),
        ),
    ),
    (
        "Providers",
        (
            Panel(
                "Attempts",
                "By how they ended.",
                "reqps",
                [
                    (
                        _rate("darkroom_attempts_total", "provider, outcome"),
                        "{{provider}} {{outcome}}",
                    )
                ],
            ),
            Panel(
                "Seconds of an attempt",
                "At the provider, however it ended.",
                "s",
                [
                    (_quantile(0.5, "darkroom_provider_seconds", "provider"), "{{provider}} p50"),
                    (_quantile(0.95, "darkroom_provider_seconds", "provider"), "{{provider}} p95"),
                ],
            ),
            Panel(
                "Circuit breakers",
                "1 while a provider's breaker isn't closed.",
                "short",
                [("max by (provider) (darkroom_breaker_open)", "{{provider}}")],
            ),
            Panel(
                "Retries and unknown submits",
                "Attempts that another one follows; submits of which nobody heard an answer.",
                "reqps",
                [
                    (_rate("darkroom_retries_total", "provider, code"), "{{provider}} {{code}}"),
                    (_rate("darkroom_unknown_submits_total", "provider"), "{{provider}} unknown"),
                ],
            ),
        ),
    ),
    (
        "Projection",
        (
            Panel(
                "Lag",
                "Age of the last event when it was applied.",
                "s",
                [("max(darkroom_projection_lag_seconds)", "lag")],
            ),
            Panel(
                "Events not yet applied",
                "By the process that projects.",
                "short",
                [("max(darkroom_projection_lag_events)", "events")],
            ),
            Panel(
                "Applied",
                "Events that changed a task, and those that came late or twice.",
                "reqps",
                [
                    (
                        "sum(rate(darkroom_projection_events_applied_total[$__rate_interval]))",
                        "applied",
                    ),
                    ("sum(rate(darkroom_projection_events_late_total[$__rate_interval]))", "late"),
                ],
            ),
            Panel(
                "Dead letters",
                "Events that are put aside now, and the age of the oldest.",
                "short",
                [
                    ("max(darkroom_parked_events)", "events"),
                    ("max(darkroom_parked_oldest_age_seconds) / 60", "oldest, minutes"),
                ],
            ),
        ),
    ),
    (
        "Races, repairs and streams",
        (
            Panel(
                "Checks",
                "1 where a check of log, lanes and rows finds nothing wrong.",
                "short",
                [("min by (check) (darkroom_check_ok)", "{{check}}")],
            ),
            Panel(
                "Reaper",
                "What it ended, released and lost to somebody faster.",
                "reqps",
                [
                    (_rate("darkroom_reaper_timed_out_total", "reason"), "{{reason}}"),
                    ("sum(rate(darkroom_reaper_released_total[$__rate_interval]))", "released"),
                    ("sum(rate(darkroom_reaper_lost_races_total[$__rate_interval]))", "lost races"),
                ],
            ),
            Panel(
                "Conflicts",
                "Compare-and-sets that somebody else was faster with.",
                "reqps",
                [
                    (_rate("darkroom_publish_conflicts_total", "type"), "{{type}}"),
                    (_rate("darkroom_cell_conflicts_total", "bucket"), "{{bucket}}"),
                ],
            ),
            Panel(
                "Streams",
                "Connections that follow tasks.",
                "short",
                [("sum by (kind) (darkroom_streams)", "{{kind}}")],
            ),
            Panel(
                "The bus",
                "Publishes that were repeated, and reads that began anew.",
                "reqps",
                [
                    (_rate("darkroom_publish_retries_total", "reason"), "publish: {{reason}}"),
                    (_rate("darkroom_consumer_restarts_total", "reason"), "read: {{reason}}"),
                ],
            ),
        ),
    ),
)


def made() -> str:
    """The dashboard as Grafana reads it."""
    board = (
        dashboard.Dashboard("Darkroom")
        .uid("darkroom")
        .tags(["darkroom"])
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Source").type("prometheus")
        )
    )
    for title, panels in ROWS:
        board = board.with_row(dashboard.Row(title))
        for panel in panels:
            board = board.with_panel(_panel(panel))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _panel(panel: Panel) -> timeseries.Panel:
    legend = (
        VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    shown = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.about)
        .datasource(_SOURCE)
        .unit(panel.unit)
        .min(0)
        .span(6)
        .height(8)
        .legend(legend)
    )
    for number, (query, legend_format) in enumerate(panel.queries):
        shown = shown.with_target(
            prometheus.Dataquery()
            .expr(query)
            .legend_format(legend_format)
            .datasource(_SOURCE)
            .ref_id(chr(ord("A") + number))
        )
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="Only tell whether it is current.")
    if not parser.parse_args().check:
        FILE.write_text(made())
        return 0
    if FILE.read_text() == made():
        return 0
    print("deploy/monitoring/dashboard.json is not what dashboard.py makes: run it")
    return 1


if __name__ == "__main__":
    sys.exit(main())
