"""From rows to tasks, which the projector folds on, and to the records that queries answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from contracts.lifecycle import Task
from contracts.records import Record, from_record
from task_store.projection import eta_seconds

COLUMNS = (
    "task_id",
    "owner",
    "type",
    "phase",
    "status",
    "stage",
    "progress",
    "attempt",
    "lane",
    "ticket",
    "retry_at",
    "prompt",
    "prompt_id",
    "reference_images",
    "provider_params",
    "run_at",
    "body_sha256",
    "metadata",
    "provider",
    "external_task_id",
    "handle",
    "artifacts",
    "late_artifacts",
    "error",
    "created_at",
    "started_at",
    "updated_at",
    "finished_at",
    "heard_at",
    "sequence",
)
_JSON_COLUMNS = (
    "reference_images",
    "provider_params",
    "metadata",
    "handle",
    "artifacts",
    "late_artifacts",
    "error",
)


def task_of_row(row: Mapping[str, Any]) -> Task:
    """The task that a row of `tasks` holds."""
    record = dict(row)
    record["task_id"] = str(record["task_id"])
    for name in _JSON_COLUMNS:
        value = record[name]
        record[name] = None if value is None else orjson.loads(value)
    return from_record(record)


def record_of_row(row: Mapping[str, Any], now: datetime) -> Record:
    """The record that queries answer: the row, its place, its ETA, and since when it is on hold.

    JSON columns are passed on as they are, without being parsed.
    """
    record: Record = {name: row[name] for name in COLUMNS}
    record["task_id"] = str(record["task_id"])
    for name in _JSON_COLUMNS:
        if record[name] is not None:
            record[name] = orjson.Fragment(record[name])
    if row["parked_since"] is not None:
        record["parked_since"] = row["parked_since"]
    ahead = row["ahead"]
    place = None if ahead is None else int(ahead) + 1
    started_at = row["started_at"]
    running_for_s = None if started_at is None else (now - started_at).total_seconds()
    record["queue_position"] = place or 0
    record["eta_seconds"] = eta_seconds(
        row["phase"], place, running_for_s, row["mean_s"], row["running"]
    )
    return record
