"""What deploy/monitoring asks Prometheus for is what the services tell."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from delivery import metrics as delivery
from gateway import metrics as gateway
from generator import metrics as generator
from reaper import metrics as reaper
from task_store import metrics as task_store

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "monitoring"
RULES = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def told() -> dict[str, set[str]]:
    """Each time series that a service has, with the names of its labels."""
    series: dict[str, set[str]] = {}
    for module in (delivery, gateway, generator, reaper, task_store):
        for metric in vars(module).values():
            if isinstance(metric, MetricWrapperBase):
                # The library tells these nowhere else.
                name, kind, labels = metric._name, metric._type, metric._labelnames  # noqa: SLF001
                for suffix in SUFFIXES[kind]:
                    series[f"{name}{suffix}"] = {*labels, *(["le"] if suffix == "_bucket" else [])}
    return series


SERIES = told()


def problems(query: str) -> list[str]:
    """What is wrong with a query: it can't be read, or asks for what nobody tells."""
    found: list[str] = []
    labels: set[str] = set()
    named: set[str] = set()

    def look(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            if node.name not in SERIES:
                found.append(f"no metric {node.name}")
            labels.update(SERIES.get(node.name, set()))
            named.update(each.name for each in node.matchers.matchers)
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            named.update(node.modifier.labels)
        return True

    promql_parser.walk(promql_parser.parse(query.replace("$__rate_interval", "5m")), look)
    return found + [f"no label {each}" for each in sorted(named - labels)]


def dashboard() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dashboard", FOLDER / "dashboard.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["dashboard"] = module
    spec.loader.exec_module(module)
    return module


def queries_of(panels: list[dict[str, Any]]) -> Iterator[str]:
    for panel in panels:
        yield from (target["expr"] for target in panel.get("targets", []))
        yield from queries_of(panel.get("panels", []))


def test_a_wrong_query_is_noticed() -> None:
    assert problems("sum by (owner) (rate(darkroom_nonsense_total[5m]))") == [
        "no metric darkroom_nonsense_total",
        "no label owner",
    ]
    with pytest.raises(ValueError, match=r"."):
        problems("sum by (")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_what_is_told_and_says_what_to_do(rule: dict[str, Any]) -> None:
    assert problems(rule["expr"]) == []
    assert rule["labels"]["severity"] in {"warning", "critical"}
    docs = (ROOT / "docs" / "observability.md").read_text()
    assert f"| `{rule['alert']}` |" in docs
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    by = {name for each in re.findall(r"by \(([^)]*)\)", rule["expr"]) for name in each.split(", ")}
    assert shown <= by


def test_the_dashboard_is_current_and_asks_for_what_is_told() -> None:
    made = dashboard().made()
    assert (FOLDER / "dashboard.json").read_text() == made
    queries = list(queries_of(json.loads(made)["panels"]))
    assert len(queries) > 20
    assert {query: problems(query) for query in queries if problems(query)} == {}


def test_metrics_have_their_unit_in_their_name_and_labels_with_bounds() -> None:
    bounded = {
        *("type", "lane", "provider", "substitute", "outcome", "reason", "code", "kind", "state"),
        *("route", "status", "consumer", "bucket", "subject", "check", "le"),
    }
    assert {name: labels - bounded for name, labels in SERIES.items() if labels - bounded} == {}
    histograms = [name for name in SERIES if name.endswith("_bucket")]
    unit = re.compile(r"_(seconds|bytes|events)_bucket")
    assert [name for name in histograms if unit.search(name) is None] == []


def test_every_metric_is_explained() -> None:
    docs = (ROOT / "docs" / "observability.md").read_text()
    names = {
        name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in SERIES
    }
    assert sorted(name for name in names if f"`{name}`" not in docs) == []
