"""Graphs as templates: what one asks for, and the same with a task's values in it. Pure.

A graph is what ComfyUI exports as "API format": nodes by their id, each with its ``class_type`` and
``inputs``. Any text among the inputs may hold ``{{name}}`` or ``{{name|default}}``; a text that is
nothing else becomes the value itself, so that numbers stay numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Graph = Mapping[str, Mapping[str, Any]]
Value = str | int | float | bool

_PLACE = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*(?:\|([^{}]*))?\}\}")
_STEPS_TAKEN = 10
"""A sampler is most of the work: it weighs as much as so many other nodes."""


class Wanting(Exception):
    """A graph asks for a value that the task doesn't have."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def is_graph(thing: object) -> bool:
    """Whether this is a graph in API format, not the one that the editor saves."""
    return (
        isinstance(thing, dict)
        and bool(thing)
        and all(
            isinstance(node, dict)
            and isinstance(node.get("class_type"), str)
            and isinstance(node.get("inputs"), dict)
            for node in thing.values()
        )
    )


def asked(graph: Graph) -> frozenset[str]:
    """The names of all values that a graph can take."""
    return frozenset(name for place in _places(graph) for name, _ in _PLACE.findall(place))


def filled(graph: Graph, values: Mapping[str, Value]) -> dict[str, Any]:
    """The graph with these values in their places. Raises `Wanting`."""
    return {
        node_id: {**node, "inputs": _filled(node["inputs"], values)}
        for node_id, node in graph.items()
    }


def weights_of(graph: Graph) -> dict[str, int]:
    """How much of the whole work each node is taken for."""
    return {
        node_id: _STEPS_TAKEN if "Sampler" in node["class_type"] else 1
        for node_id, node in graph.items()
    }


def _places(thing: Any) -> Iterator[str]:
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, Mapping):
        for each in thing.values():
            yield from _places(each)
    elif isinstance(thing, list):
        for each in thing:
            yield from _places(each)


def _filled(thing: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(thing, Mapping):
        return {name: _filled(each, values) for name, each in thing.items()}
    if isinstance(thing, list):
        return [_filled(each, values) for each in thing]
    if not isinstance(thing, str):
        return thing
    whole = _PLACE.fullmatch(thing)
    if whole is not None:
        return _value(whole, values)
    return _PLACE.sub(lambda place: str(_value(place, values)), thing)


def _value(place: re.Match[str], values: Mapping[str, Value]) -> Value:
    name, default = place.groups()
    if name in values:
        return values[name]
    if default is None:
        raise Wanting(name)
    try:
        told = json.loads(default)
    except ValueError:
        return str(default)
    return told if isinstance(told, str | int | float | bool) else str(default)
