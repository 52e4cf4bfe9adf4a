"""An owner's tasks in line: which places those who follow all of them were not told yet.

What was told is the same for all followers of an owner, so that it is kept once, however many they
are, and what is told now is chosen once.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from gateway.following import told_now


class Place(NamedTuple):
    type_name: str
    number: int
    eta_seconds: float | None


class Line:
    """The tasks whose places are known."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self._untold: dict[str, int] = {}
        """In the order in which they came to be; a task that moves again keeps its turn."""
        self._in_order: list[str] | None = None

    @property
    def has_untold(self) -> bool:
        return bool(self._untold)

    def put(self, task_id: str, place: Place) -> None:
        if task_id not in self.places:
            self._in_order = None
        self.places[task_id] = place

    def tell(self, task_id: str) -> None:
        """Its place has to be told."""
        self._untold[task_id] = self.places[task_id].number

    def leave(self, task_id: str) -> None:
        if self.places.pop(task_id, None) is not None:
            self._in_order = None
        self._untold.pop(task_id, None)

    def take(self, most: int) -> list[str]:
        """Those to be told now; then they are."""
        told = told_now(self._untold, most)
        for task_id in told:
            del self._untold[task_id]
        return told

    def after(self, task_id: str, most: int) -> list[str]:
        """The next tasks by id, for who is told them all: roughly in the order of the line.

        Unlike places, ids stay as they are, so that nothing is passed over while the line moves.
        """
        if self._in_order is None:
            self._in_order = sorted(self.places)
        begin = bisect_right(self._in_order, task_id)
        return self._in_order[begin : begin + most]

    def is_untold(self, task_id: str) -> bool:
        return task_id in self._untold
