"""What ComfyUI tells of a job: while it runs, over the socket; when it has ended, in its history.

Pure: messages in, percentages, files and refusals out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from generator.provider import Rejected, Unavailable
from generator.vendors.http import short

_ENDS = frozenset({"execution_success", "execution_error", "execution_interrupted"})
_OUT_OF_MEMORY = "OutOfMemory"


class GraphProgress:
    """How far one job is, by what the server says of its nodes. It never goes back.

    Newer servers tell the state of every node that has begun (``progress_state``). Older ones tell
    which node is begun, and the steps of the one that counts them.
    """

    def __init__(self, prompt_id: str, weights: Mapping[str, int]) -> None:
        self.percent = 0
        self.ended = False
        self._prompt_id = prompt_id
        self._weights = weights
        self._done: dict[str, float] = {}
        self._begun: str | None = None
        self._tells_states = False

    def hear(self, kind: str, told: Mapping[str, Any]) -> None:
        """Take in one message; those of other jobs change nothing."""
        if told.get("prompt_id", self._prompt_id) != self._prompt_id:
            return
        match kind:
            case "execution_cached":
                self._done.update(dict.fromkeys(told.get("nodes", ()), 1.0))
            case "progress_state":
                self._tells_states = True
                for node_id, state in told.get("nodes", {}).items():
                    finished = state.get("state") == "finished"
                    self._done[node_id] = 1.0 if finished else _share(state)
            case "executing" if told.get("node") is None:
                self.ended = True
            case "executing" if not self._tells_states:
                if self._begun is not None:
                    self._done[self._begun] = 1.0
                self._begun = told["node"]
            case "progress" if not self._tells_states and told.get("node") is not None:
                self._done[told["node"]] = _share(told)
            case _ if kind in _ENDS:
                self.ended = True
        done = sum(self._done.get(each, 0.0) * weight for each, weight in self._weights.items())
        whole = sum(self._weights.values()) or 1
        self.percent = max(self.percent, min(99, int(100 * done / whole)))


def _share(told: Mapping[str, Any]) -> float:
    most = told.get("max") or 1
    return min(1.0, max(0.0, (told.get("value") or 0) / most))


@dataclass(frozen=True, slots=True)
class File:
    """A file that a job has written at the server."""

    filename: str
    subfolder: str
    folder: str


def succeeded(entry: Mapping[str, Any]) -> bool:
    """Whether the job of this entry of the history came to its results."""
    status = entry.get("status") or {}
    return bool(status.get("status_str", "success") == "success")


def files(entry: Mapping[str, Any]) -> list[File]:
    """What the job has made, in the order of its nodes.

    Raises `Rejected` with the node's own words, or `Unavailable` where another attempt may help.
    """
    if not succeeded(entry):
        raise _failure(entry)
    outputs = entry.get("outputs") or {}
    found = [
        File(each["filename"], each.get("subfolder", ""), each.get("type", "output"))
        for node_id in sorted(outputs, key=_in_order)
        for each in _entries(outputs[node_id])
    ]
    # Nodes that only show a picture write it, too, into the server's folder of temporary files.
    return [file for file in found if file.folder == "output"] or found


def _entries(told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for values in told.values():
        for each in values if isinstance(values, list) else ():
            if isinstance(each, Mapping) and "filename" in each:
                yield each


def _in_order(node_id: str) -> tuple[int, str]:
    return (int(node_id) if node_id.isdecimal() else 1 << 30, node_id)


def _failure(entry: Mapping[str, Any]) -> Rejected | Unavailable:
    messages = (entry.get("status") or {}).get("messages") or ()
    told: dict[str, Mapping[str, Any]] = dict(messages)
    if "execution_interrupted" in told:
        return Unavailable("The job was interrupted at ComfyUI.")
    error = told.get("execution_error", {})
    if _OUT_OF_MEMORY in error.get("exception_type", ""):
        return Unavailable("ComfyUI ran out of memory.")
    node = error.get("node_type", "A node")
    words = short(error.get("exception_message", "")) or "it says no more"
    return Rejected(f"ComfyUI could not run this graph. {node}: {words}")


def refusal_words(body: Any) -> str | None:
    """Why a graph was not accepted, from the body of the answer."""
    if not isinstance(body, Mapping):
        return None
    error = body.get("error")
    said = [_said(error)] if isinstance(error, Mapping) else [error] if error else []
    nodes = body.get("node_errors")
    for node in nodes.values() if isinstance(nodes, Mapping) else ():
        said += [f"{node.get('class_type')}: {_said(each)}" for each in node.get("errors", ())]
    return "; ".join(str(each) for each in said if each) or None


def _said(error: Mapping[str, Any]) -> str:
    parts = (str(error.get(part) or "").rstrip(". ") for part in ("message", "details"))
    return ": ".join(part for part in parts if part)
