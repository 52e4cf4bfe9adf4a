"""Which providers are offered, and in what words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from builders import NOON
from contracts.generation_types import GENERATION_TYPES
from generator.catalogue import announcement, lanes_of, load_providers, outlasting
from generator.provider import Execution, NotConfigured, Offer
from generator.work import Lane

NONE = "no-entry-point-has-this-name"
HERE = __name__


class Painter:
    name = "painter"
    execution = Execution.LOCAL

    def __init__(self) -> None:
        schema = {"type": "object"}
        self.offers = {"CREATE": Offer(schema, "A painting"), "SCULPTURE": Offer(schema)}


class Impostor(Painter):
    """Has the name of another."""


class Shouting(Painter):
    name = "NOT A LANE"


class Unconfigured(Painter):
    def __init__(self) -> None:
        raise NotConfigured("Set PAINTER_KEY.")


class Broken(Painter):
    def __init__(self) -> None:
        raise ZeroDivisionError


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    module = sys.modules[HERE]
    monkeypatch.setitem(sys.modules, "plug_ins", module)


def loaded(*classes: str) -> list[str]:
    extra = ",".join(f"plug_ins:{each}" for each in classes)
    return [type(provider).__name__ for provider in load_providers(NONE, extra)]


def test_the_studio_is_installed() -> None:
    assert [provider.name for provider in load_providers("studio")] == ["studio"]


def test_a_provider_under_development_is_loaded_by_its_path() -> None:
    assert loaded("Painter") == ["Painter"]


@pytest.mark.parametrize("bad", ["Unconfigured", "Broken", "Shouting", "Impostor", "Missing"])
def test_one_that_can_not_serve_is_left_out_and_the_others_serve(bad: str) -> None:
    assert loaded("Painter", bad) == ["Painter"]


def test_each_known_type_that_is_offered_is_a_lane() -> None:
    lanes = lanes_of([Painter()])  # type: ignore[list-item]
    assert [(lane.kind.name, lane.name) for lane in lanes] == [("CREATE", "painter")]


def test_an_announcement_says_what_may_be_asked_for() -> None:
    told = json.loads(announcement(Painter(), NOON))  # type: ignore[arg-type]
    assert told == {
        "name": "painter",
        "execution": "local",
        "offers": {"CREATE": {"title": "A painting", "params_schema": {"type": "object"}}},
        "announced_at": "2026-11-21T12:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("kind_s", "offer_s", "silence_s", "warned"),
    [
        (None, None, None, False),
        (None, 300, None, True),
        (None, 299, None, False),
        (180, None, None, True),
        (400, 300, None, False),
        (None, 1800, 299, False),
        (None, 1800, 300, True),
        (120, 100, 150, False),
    ],
)
def test_a_provider_that_may_be_silent_for_longer_than_the_reaper_waits_is_named(
    kind_s: float | None, offer_s: float | None, silence_s: float | None, warned: bool
) -> None:
    kind = replace(GENERATION_TYPES["CREATE"], timeout_s=kind_s)
    lane = Lane(kind, Painter(), Offer({}, timeout_s=offer_s, silence_s=silence_s))  # type: ignore[arg-type]
    named = outlasting([lane], provider_timeout_s=180, task_timeout_s=300)
    assert named == (["CREATE/painter"] if warned else [])
