"""Where nobody asks for traces, none are made, and contexts are handed on as they came."""

import json
import sys

import pytest

from delivery.spans import message_attributes
from task_store.spans import traceparent_of
from telemetry import tracing
from telemetry.logs import configure_logs, get_logger
from telemetry.tracing import Kind

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_without_an_endpoint_a_span_is_its_parent() -> None:
    with tracing.traced("gateway"), tracing.span("send", Kind.PRODUCER, PARENT) as made:
        assert (made, tracing.current_traceparent()) == (PARENT, None)
        assert not tracing.is_traced(PARENT)
        assert tracing.tell("process", Kind.CONSUMER, PARENT, 1, 2) is None
        tracing.describe("other", {})
    assert tracing.provider() is None


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "TRUE"},
            False,
        ),
    ],
)
def test_opentelemetrys_own_variables_switch_it_on(
    environment: dict[str, str], wanted: bool
) -> None:
    assert tracing.is_wanted(environment) is wanted


def test_log_lines_tell_the_span_in_which_they_were_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    configure_logs("gateway")
    with tracing.traced("gateway"):
        with tracing.span("process", Kind.CONSUMER, PARENT) as made:
            get_logger("x").info("inside")
        get_logger("x").info("outside")
    lines = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    told = {each["event"]: (each.get("trace_id"), each.get("span_id")) for each in lines}
    assert made is not None
    assert told["inside"] == tuple(made.split("-")[1:3])
    assert told["outside"] == (None, None)


def test_spans_are_children_of_a_text_and_give_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with tracing.traced("gateway"):
        assert tracing.is_traced(PARENT)
        assert not tracing.is_traced(None)
        assert not tracing.is_traced(PARENT[:-2] + "00")
        with tracing.span("process", Kind.CONSUMER, PARENT, links=[PARENT, "unreadable"]) as made:
            assert made is not None
            assert (made[:36], made[-3:]) == (PARENT[:36], "-01")
            assert made == tracing.current_traceparent() != PARENT
        told = tracing.tell("process", Kind.CONSUMER, "unreadable", 1, 2)
        assert told is not None
        assert told[:36] != PARENT[:36]
    assert "opentelemetry.sdk" in sys.modules


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (b'{"id":"1","traceparent":"%s","data":{}}' % PARENT.encode(), PARENT),
        (b'{"id":"1","data":{"metadata":{"traceparent":"%s"}}}' % PARENT.encode(), None),
        (b'{"traceparent":"%s"' % PARENT.encode(), None),
        (b"", None),
    ],
)
def test_the_context_of_an_event_is_its_envelopes(payload: bytes, found: str | None) -> None:
    assert traceparent_of(payload) == found


def test_a_message_is_told_by_the_conventions_names() -> None:
    assert message_attributes("generation.finished.image.t1", "e1", "process") == {
        "messaging.system": "nats",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "GENERATION",
        "messaging.destination.subject": "generation.finished.image.t1",
        "messaging.message.id": "e1",
        "darkroom.task.id": "t1",
    }
