"""Structured logs: one JSON object a line on standard error, the same four ids at every hop.

Made with the standard library alone, as every process pays for its imports at each start.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from telemetry.tracing import current_traceparent

_NOISY: Final = ("uvicorn.access", "faststream.access", "httpx", "httpx2")
_FIELDS: Final = "fields"
_root: Final = logging.getLogger()
_written: Final = json.JSONEncoder(default=repr).encode


class Logger:
    """Tells what happened, in constant words, with what differs each time as fields of the line."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **fields: object) -> None:
        if self._logger.isEnabledFor(logging.DEBUG):
            self._tell(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        self._tell(logging.INFO, event, fields)

    def warning(
        self, event: str, *, exc_info: BaseException | bool | None = None, **fields: object
    ) -> None:
        self._tell(logging.WARNING, event, fields, exc_info)

    def error(self, event: str, **fields: object) -> None:
        self._tell(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """An error, with the exception that is being handled."""
        self._tell(logging.ERROR, event, fields, exc_info=True)

    def _tell(
        self,
        level: int,
        event: str,
        fields: dict[str, object],
        exc_info: BaseException | bool | None = None,
    ) -> None:
        handlers = _root.handlers
        only = handlers[0] if len(handlers) == 1 else None
        if isinstance(only, Lines) and exc_info is None:
            # A record for each line, which nobody else looks at, takes three times as long.
            if self._logger.isEnabledFor(level):
                only.write(self._logger.name, level, event, fields)
            return
        self._logger.log(level, "%s", event, exc_info=exc_info, extra={_FIELDS: fields})


class JsonLines(logging.Formatter):
    """One JSON object a record, ours and the libraries' alike."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def line(
        self, at: datetime, name: str, level: int, event: str, fields: dict[str, object]
    ) -> dict[str, Any]:
        line: dict[str, Any] = {
            **fields,
            "event": event,
            "service": self._service,
            "level": logging.getLevelName(level).lower(),
            "logger": name,
            "timestamp": at.isoformat().replace("+00:00", "Z"),
        }
        if traceparent := current_traceparent():
            _, line["trace_id"], line["span_id"], _ = traceparent.split("-")
        return line

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        fields = getattr(record, _FIELDS, {})
        line = self.line(at, record.name, record.levelno, record.getMessage(), fields)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _written(line)


class Lines(logging.StreamHandler[TextIO]):
    """Where they go."""

    def __init__(self, stream: TextIO, lines: JsonLines) -> None:
        super().__init__(stream)
        self.setFormatter(lines)
        self._lines = lines

    def write(self, name: str, level: int, event: str, fields: dict[str, object]) -> None:
        """One of ours, without a record."""
        line = _written(self._lines.line(datetime.now(UTC), name, level, event, fields))
        with contextlib.suppress(OSError, ValueError):
            # Nobody may be there to read it; that is no reason to stop the work.
            self.stream.write(f"{line}\n")
            self.flush()


def configure_logs(service: str, *, level: str = "INFO") -> None:
    """Send every log line of this process, the libraries' too, through one formatter.

    Lines about a task carry ``task_id``, ``event_id``, ``correlation_id`` and ``attempt`` where
    they are known, and ``trace_id`` and ``span_id`` where the task is traced; prompts and
    credentials never.
    """
    _root.handlers[:] = [Lines(sys.stderr, JsonLines(service))]
    _root.setLevel(level)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> Logger:
    return Logger(name)
