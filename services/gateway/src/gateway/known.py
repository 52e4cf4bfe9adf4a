"""What the feed knows of tasks, in bounded memory: their states, and up to where they were told."""

from __future__ import annotations

import collections
from collections.abc import Mapping

from gateway.following import State

_MOST_STATES_BYTES = 32 * 1024 * 1024
_STATE_BYTES = 1500
"""What a state takes beside the texts in it."""
_MOST_TOLD = 20_000
"""Tasks of which it is known up to where they were told, those told last."""


class Known:
    """States that were used last, and what was told last."""

    def __init__(self) -> None:
        self._states: collections.OrderedDict[str, tuple[State, int]] = collections.OrderedDict()
        self._states_bytes = 0
        self._told: collections.OrderedDict[str, int] = collections.OrderedDict()
        self.released = 0
        """How many states were let go to make room."""

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._states

    def state(self, task_id: str) -> State:
        """What is known of a task; None where nothing is."""
        kept = self._states.get(task_id)
        return None if kept is None else kept[0]

    def keep(self, task_id: str, state: State, weight: int) -> None:
        """``weight`` is what its texts take, in bytes."""
        self.forget(task_id)
        self._states[task_id] = (state, weight + _STATE_BYTES)
        self._states_bytes += weight + _STATE_BYTES
        while self._states_bytes > _MOST_STATES_BYTES:
            _, (_, released) = self._states.popitem(last=False)
            self._states_bytes -= released
            self.released += 1

    def forget(self, task_id: str) -> None:
        """Its state may be wrong: it is read again when something happens to it."""
        kept = self._states.pop(task_id, None)
        if kept is not None:
            self._states_bytes -= kept[1]

    @property
    def all_told(self) -> Mapping[str, int]:
        """Up to where tasks were told, as it is at any moment."""
        return self._told

    def told(self, task_id: str) -> int:
        """Up to where anybody here was told of it; 0 where that isn't known."""
        return self._told.get(task_id, 0)

    def note(self, task_id: str, sequence: int) -> None:
        """Somebody is told of the task as of here."""
        self._told[task_id] = max(sequence, self.told(task_id))
        self._told.move_to_end(task_id)
        if len(self._told) > _MOST_TOLD:
            self._told.popitem(last=False)

    def clear(self) -> None:
        """The log is another one."""
        self._states.clear()
        self._states_bytes = 0
        self._told.clear()
