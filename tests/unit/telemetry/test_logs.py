"""What a service says is one JSON object a line, whoever in the process says it."""

import json
import logging

import pytest

from telemetry.logs import configure_logs, get_logger


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for line in lines:
        assert line.pop("timestamp").endswith("Z")
    return lines


def test_the_fields_of_an_event_are_keys_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("reaper")
    get_logger("reaper.loop").warning("sweep failed: 100 %s", task_id="t1", attempt=2)
    assert said(capsys) == [
        {
            "event": "sweep failed: 100 %s",
            "service": "reaper",
            "level": "warning",
            "logger": "reaper.loop",
            "task_id": "t1",
            "attempt": 2,
        }
    ]


def test_a_field_cannot_pass_for_what_the_line_says_of_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("reaper")
    get_logger("x").info("an event", service="another", name="n", message=object)
    (line,) = said(capsys)
    assert (line["service"], line["name"], line["message"]) == ("reaper", "n", repr(object))


def test_an_exception_is_told_with_its_trace_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("gateway")
    try:
        raise ValueError("of this")
    except ValueError as error:
        get_logger("x").exception("it broke")
        get_logger("x").warning("it broke", exc_info=error)
    get_logger("x").warning("it works", exc_info=None)
    first, second, third = said(capsys)
    assert (first["level"], second["level"]) == ("error", "warning")
    assert str(first["exception"]).endswith("ValueError: of this")
    assert first["exception"] == second["exception"]
    assert "exception" not in third


def test_libraries_speak_the_same_way_and_chatter_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("gateway", level="INFO")
    logging.getLogger("uvicorn.error").info("Started process [%d]", 7)
    logging.getLogger("uvicorn.access").info("GET /")
    logging.getLogger("httpx2").info("HTTP Request: GET /?key=secret")
    get_logger("x").info("heard")
    logging.getLogger("x").debug("not heard")
    assert [(line["logger"], line["event"]) for line in said(capsys)] == [
        ("uvicorn.error", "Started process [7]"),
        ("x", "heard"),
    ]
