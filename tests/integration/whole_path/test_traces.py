"""One trace tells what became of a task, from the request to the rows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fakes.collector import Collector, Span
from fakes.forge import FakeForge
from fakes.serving import served
from system import System, running_system

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
SECRET = "sk-not-for-traces"


def the(spans: list[Span], name: str, service: str) -> Span:
    found = [each for each in spans if (each.name, each.service) == (name, service)]
    assert len(found) == 1, [(each.service, each.name) for each in spans]
    return found[0]


def lines_about(system: System, task_id: str) -> list[dict[str, Any]]:
    """What the services' logs tell of a task."""
    lines = [
        json.loads(line)
        for path in sorted((system.data_dir / "log").glob("*.log"))
        if path.stem in {"gateway", "generator", "reaper", "task-store"}
        for line in path.read_text().splitlines()
    ]
    return [each for each in lines if each.get("task_id") == task_id]


async def test_one_trace_holds_every_hop_of_a_task(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector, forge = Collector(), FakeForge()
    async with served(collector.app()) as otlp, served(forge.app()) as forge_url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", otlp)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        async with running_system(
            tmp_path_factory.mktemp("traced"),
            FORGE_URL=forge_url,
            API_KEYS=f"me:{SECRET}",
            AUTH="keys",
        ) as system:
            answer = await system.http.post(
                "/tasks",
                params={"token": SECRET},
                json={
                    "type": "IMAGE",
                    "prompt": "a red bicycle",
                    "provider_params": {"service": "FORGE"},
                },
                headers={
                    "Authorization": f"Bearer {SECRET}",
                    "traceparent": f"00-{TRACE}-{CALLER}-01",
                    "Prefer": "wait=60",
                },
            )
            assert answer.status_code == 200, answer.text
            assert answer.json()["status"] == "completed", answer.json()["error"]
            task_id = answer.json()["task_id"]

        # What is still to be told is told when a process ends.
        spans = collector.of_trace(TRACE)
        hops = lines_about(system, task_id)

    asked = the(spans, "POST /tasks", "darkroom-gateway")
    sent = the(spans, "send generation.requested", "darkroom-gateway")
    worked = the(spans, "process generation.requested", "darkroom-generator")
    followed = the(spans, "follow forge", "darkroom-generator")
    ended = the(spans, "send generation.completed", "darkroom-generator")
    projected = the(spans, "process generation.finished", "darkroom-task-store")
    assert (asked.kind, asked.parent_id) == ("SERVER", CALLER)
    assert (sent.kind, sent.parent_id) == ("PRODUCER", asked.span_id)
    assert (worked.kind, worked.parent_id) == ("CONSUMER", asked.span_id)
    assert worked.links == (asked.span_id,)
    assert (followed.kind, followed.parent_id) == ("CLIENT", worked.span_id)
    assert (ended.kind, ended.parent_id) == ("PRODUCER", worked.span_id)
    assert (projected.kind, projected.parent_id) == ("CONSUMER", worked.span_id)
    assert projected.links[0] == worked.span_id
    batches = {each.span_id: each for each in collector.spans if each.name == "process batch"}
    assert worked.span_id in batches[projected.links[1]].links
    assert asked.attributes["http.route"] == "/tasks"
    assert asked.attributes["http.response.status_code"] == 200
    assert {each.attributes["darkroom.task.id"] for each in (sent, worked, followed, ended)} == {
        task_id
    }
    assert SECRET not in repr(collector.spans)

    assert [(each["service"], each["event"], each["type"], each["attempt"]) for each in hops] == [
        ("gateway", "told", "generation.requested", 0),
        ("generator", "told", "generation.started", 1),
        ("generator", "told", "generation.completed", 1),
        ("task-store", "projected", "generation.completed", 1),
    ]
    assert {each["correlation_id"] for each in hops} == {TRACE}
    assert hops[2]["event_id"] == hops[3]["event_id"] == ended.attributes["messaging.message.id"]
    assert hops[0]["trace_id"] == TRACE
