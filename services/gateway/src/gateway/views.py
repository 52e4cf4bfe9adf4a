"""Tasks as their owners see them: URLs for keys, times in UTC with a Z."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson
from starlette.responses import Response

from artifacts.keys import InvalidKey, url_of
from contracts.api import prompt_task_view, task_view
from contracts.records import Record
from gateway.problems import problem_of
from gateway.refusals import Refusal

JSON = "application/json"
_TIMES = ("created_at", "started_at", "updated_at", "finished_at")
_CAMEL_TIMES = ("createdAt", "updatedAt", "completedAt")


class Views:
    """Builds what is answered; ``root_url`` is the base of the URLs handed out.

    ``waiting_for`` tells why a task in line isn't begun, where that isn't the line.
    """

    def __init__(
        self, root_url: str, waiting_for: Callable[[Record], Any] = lambda record: None
    ) -> None:
        self.root_url = root_url
        self._waiting_for = waiting_for

    def problem(self, refusal: Refusal) -> dict[str, Any]:
        """A refusal, where it is told as a message and not as an answer."""
        return problem_of(refusal, self.root_url)

    def url(self, reference: str) -> str:
        """The URL of a key; a public URL, which a task may refer to as well, is its own."""
        if "://" in reference:
            return reference
        try:
            return url_of(reference, self.root_url)
        except InvalidKey:
            # Of a provider that names its files by itself: one such task must not hide the others.
            return f"{self.root_url}/{quote(reference)}"

    def task(self, record: Record) -> dict[str, Any]:
        """The task as it is now."""
        view = self.told(record)
        view["waiting_for"] = self._waiting_for(record)
        return view

    def told(self, record: Record) -> dict[str, Any]:
        """The task as streams tell it: as of its sequence, the same whoever tells it when."""
        view = task_view(record, self.url)
        for name in _TIMES:
            view[name] = utc(view[name])
        if record.get("parked_since") is not None:
            view["metadata"]["parked"]["since"] = utc(record["parked_since"])
        return view

    def prompt_task(self, record: Record) -> dict[str, Any]:
        view = prompt_task_view(record, self.url)
        for name in _CAMEL_TIMES:
            view[name] = utc(view[name])
        return view

    def tasks(self, records: Iterable[Record]) -> list[dict[str, Any]]:
        return [self.task(record) for record in records]


def utc(moment: datetime | str | None) -> str | None:
    """An instant as ISO 8601 in UTC, with a Z; the same text whoever read it."""
    if moment is None:
        return None
    if isinstance(moment, str):
        if moment.endswith("+00:00"):
            return moment[:-6] + "Z"
        if moment.endswith("Z"):
            return moment
        moment = datetime.fromisoformat(moment)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def json_response(
    body: Any, status_code: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(orjson.dumps(body), status_code, headers, JSON)


def etag(record: Record, view: dict[str, Any]) -> str:
    """Changes with the task, and with what moves without it: its place, what it waits for."""
    place, reason = record.get("queue_position"), view["waiting_for"]
    waits = "" if reason is None else f"-{reason['code']}-{reason['until']}"
    held = "" if record.get("parked_since") is None else "-parked"
    return f'W/"{record["sequence"]}-{"" if place is None else place}{waits}{held}"'
