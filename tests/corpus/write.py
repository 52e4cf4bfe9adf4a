"""Freeze the events of a version, and the tasks that they make.

    PYTHONPATH=tests python -m corpus.write VERSION

Writes ``VERSION.jsonl`` and ``VERSION.records.json``: every event with every field that this
version can tell. A version that is released is never written again.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from builders import (
    TIMEOUT,
    accepted,
    after,
    annotated,
    artifact,
    cancelled,
    completed,
    erased,
    failed,
    handed_over,
    late_result,
    progressed,
    requested,
    retrying,
    started,
    submitting,
    task_id,
    timed_out,
    uploaded,
)
from contracts.events import Event, encode
from contracts.lifecycle import Task, evolve
from contracts.records import to_record

HERE = Path(__file__).parent
_MODEL = artifact("artifacts/ann/1.glb", content_type="model/gltf-binary", width=None, height=None)


_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def _of(number: int, tasktype: str) -> dict[str, Any]:
    return {"task": task_id(number), "owner": "ann", "tasktype": tasktype}


def _asked(number: int) -> dict[str, Any]:
    """Everything that can be asked for."""
    return {
        "lane": "kie~1",
        "prompt": "ein rotes Fahrrad, 夜",
        "reference_images": ("uploads/ann/1.png",),
        "provider_params": {"service": "KIE", "model": "flux", "seed": None, "zoom": 1.5},
        "prompt_id": f"p-{number}",
        "metadata": {"page": {"tab": "create"}, "draft": True},
        "run_at": after(60),
        "substituted_from": "studio",
    }


def stories() -> list[Event]:
    """Tasks that between them are told of in every way there is, in the order of the log."""
    whole, photo, late = _of(1, "CREATE"), _of(2, "PHOTO_TO_3D"), _of(3, "VIDEO")
    off, gone, waiting = _of(4, "IMAGE"), _of(5, "CLOTHING_CHANGE"), _of(6, "WHITE_BACKGROUND")
    due, running, pending = _of(7, "CREATE"), _of(8, "IMAGE"), _of(9, "PHOTO_TO_3D")
    return [
        requested(**whole, **_asked(1)),
        accepted(**photo, **_asked(2) | {"reference_images": ()}),
        requested(**late),
        requested(**off),
        requested(**gone, **_asked(5)),
        started(**whole, provider="kie"),
        submitting(**whole, provider="kie"),
        progressed(10, **whole, stage="generating", external_task_id="k-1", handle={"id": "k-1"}),
        handed_over(**whole),
        started(2, at=5, **whole, provider="kie", progress=10),
        annotated({"page": {"tab": "history"}, "draft": None}, at=6, **whole),
        uploaded("uploads/ann/2.jpg", **photo),
        requested(at=1, **photo, prompt=None, reference_images=("uploads/ann/2.jpg",)),
        started(at=2, **photo),
        progressed(20, at=3, **photo, stage="bgr_removed"),
        retrying(at=4, **photo, stage="bgr_removed", progress=20, spared=True),
        failed(2, at=9, **photo, stage="job_creation_failed"),
        completed(
            2, **whole, artifacts=(artifact("artifacts/ann/1.png"), _MODEL), external_task_id="k-1"
        ),
        started(**late),
        timed_out(**late, stage="generating", error=TIMEOUT),
        late_result(**late),
        cancelled(1, **off),
        completed(**gone),
        erased(**gone),
        requested(**waiting),
        accepted(**due, run_at=after(3600), prompt="later"),
        requested(**running),
        started(at=330, **running),
        requested(at=331, **_of(10, "VIDEO")),
        started(at=332, **_of(10, "VIDEO")),
        retrying(at=333, **_of(10, "VIDEO")),
        accepted(at=334, **pending),
    ]


def frozen(events: list[Event]) -> tuple[bytes, str]:
    """The files of these events, and of the tasks that they make."""
    tasks: dict[str, Task | None] = {}
    first = {event.task_id: event.id for event in reversed(events)}
    events = [
        event.model_copy(
            update={
                "traceparent": _TRACE,
                "causationid": None if event.id == first[event.task_id] else first[event.task_id],
            }
        )
        for event in events
    ]
    for sequence, event in enumerate(events, 1):
        tasks[event.task_id] = evolve(tasks.get(event.task_id), event, sequence, event.time)
    records = [to_record(task) for task in tasks.values() if task is not None]
    told = json.dumps(records, indent=2, ensure_ascii=False, default=datetime.isoformat)
    return b"".join(encode(event) + b"\n" for event in events), f"{told}\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="corpus.write")
    parser.add_argument("version")
    version = parser.parse_args().version
    lines, records = frozen(stories())
    with (HERE / f"{version}.jsonl").open("xb") as file:
        file.write(lines)
    (HERE / f"{version}.records.json").write_text(records, encoding="utf-8")
    print(f"{version}: {len(lines.splitlines())} events")
