"""Structured logs: one JSON object a line on standard error, the same four ids at every hop.

Made with the standard library alone, as every process pays for its imports at each start.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from telemetry.tracing import current_traceparent

_NOISY: Final = ("uvicorn.access", "faststream.access", "httpx", "httpx2")
_FIELDS: Final = "fields"


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
        self._logger.log(level, "%s", event, exc_info=exc_info, extra={_FIELDS: fields})


class JsonLines(logging.Formatter):
    """One JSON object a record, ours and the libraries' alike."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        line: dict[str, Any] = {
            **getattr(record, _FIELDS, {}),
            "event": record.getMessage(),
            "service": self._service,
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": at,
        }
        if traceparent := current_traceparent():
            _, line["trace_id"], line["span_id"], _ = traceparent.split("-")
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=repr)


def configure_logs(service: str, *, level: str = "INFO") -> None:
    """Send every log line of this process, the libraries' too, through one formatter.

    Lines about a task carry ``task_id``, ``event_id``, ``correlation_id`` and ``attempt`` where
    they are known, and ``trace_id`` and ``span_id`` where the task is traced; prompts and
    credentials never.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> Logger:
    return Logger(name)
