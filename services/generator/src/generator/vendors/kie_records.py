"""What Kie tells of a job. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator.vendors.http import short

_PASSING = frozenset({"429", "455", "500", "501", "502", "503", "504", "524", "timeout"})
"""Codes of failed jobs that say nothing against the request."""


@dataclass(frozen=True, slots=True)
class Record:
    """What Kie knows of a job. ``links`` once it is done; ``passing``: another try may succeed."""

    has_failed: bool = False
    percent: int = 0
    links: tuple[str, ...] = ()
    words: str = ""
    is_passing: bool = False


DONE = Record(percent=100)
NO_RECORD = Record(has_failed=True, words="It no longer knows the job.", is_passing=True)


def record_of(told: Mapping[str, Any]) -> Record:
    """What the record says, in the words of the market or of Veo and Midjourney."""
    if "state" in told:
        done, failed = told["state"] == "success", told["state"] in {"fail", "failed"}
        code, words = told.get("failCode"), told.get("failMsg")
        results: Any = told.get("resultJson")
    else:
        flag = told.get("successFlag")
        done, failed = flag == 1, flag in {2, 3}
        code, words = told.get("errorCode"), told.get("errorMessage")
        results = told.get("response") or told.get("resultInfoJson")
    if failed:
        return Record(
            has_failed=True, words=short(str(words or "")), is_passing=str(code) in _PASSING
        )
    if not done:
        percent = told.get("progress")
        return Record(percent=max(0, min(99, percent)) if isinstance(percent, int) else 0)
    links = _links(results)
    if not links:
        return Record(has_failed=True, words="Done, with no result.")
    return Record(percent=100, links=links)


def _links(results: Any) -> tuple[str, ...]:
    """Of results, which may be JSON in a string, and have each link in an object."""
    if isinstance(results, str):
        try:
            results = json.loads(results)
        except ValueError:
            return ()
    told = results.get("resultUrls") if isinstance(results, dict) else None
    found = [
        each.get("resultUrl") if isinstance(each, dict) else each
        for each in (told if isinstance(told, list) else [])
    ]
    return tuple(each for each in found if isinstance(each, str) and each)
