"""Illustrations painted from prompts."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.studio.figures import FIGURES
from generator.studio.lexicon import FIGURES as NAMED_FIGURES
from generator.studio.lexicon import SETTINGS
from generator.studio.orders import Order
from generator.studio.painter import paint
from generator.studio.render import render
from generator.studio.scenes import SCENES
from unit.generator.studio.photos import Pixels, hue_share, opened


def painted(prompt: str, seed: int | None = None, width: int = 160, height: int = 120) -> Pixels:
    return paint(prompt, width, height, seed, lambda percent: None)


def test_the_same_prompt_and_seed_paint_the_same_picture() -> None:
    assert np.array_equal(painted("a boat at dawn", 3), painted("a boat at dawn", 3))


def test_another_seed_paints_another_picture() -> None:
    assert not np.array_equal(painted("a boat at dawn", 3), painted("a boat at dawn", 4))


def test_the_seed_comes_from_the_prompt_where_none_is_given() -> None:
    assert np.array_equal(painted("a boat"), painted("a boat"))
    assert not np.array_equal(painted("a boat"), painted("a boat."))


@pytest.mark.parametrize(
    ("plain", "coloured", "low", "high"),
    [
        ("a bicycle", "a red bicycle", 340, 14),
        ("a house", "a blue house", 200, 235),
        ("a balloon", "a purple balloon", 260, 290),
        ("a car", "a green car", 100, 150),
        ("a cup", "a yellow cup", 40, 58),
    ],
)
def test_a_named_colour_shows(plain: str, coloured: str, low: int, high: int) -> None:
    before = hue_share(painted(plain, 11), low, high)
    after = hue_share(painted(coloured, 11), low, high)
    assert after > before + 0.01


def test_a_night_is_darker_than_a_day() -> None:
    assert painted("the sea at night", 1).mean() < 0.6 * painted("the sea at noon", 1).mean()


def test_snow_whitens_the_fields() -> None:
    lower = slice(80, None)
    snowy, green = painted("winter field at noon", 2), painted("summer field at noon", 2)
    assert snowy[lower].min(axis=2).mean() > green[lower].min(axis=2).mean() + 40


def test_every_named_thing_and_place_can_be_painted() -> None:
    assert set(NAMED_FIGURES) <= set(FIGURES)
    assert set(SETTINGS) <= set(SCENES)


@pytest.mark.parametrize("kind", sorted(FIGURES))
def test_a_figure_stands_out_from_its_scene(kind: str) -> None:
    word = NAMED_FIGURES.get(kind, "stones").split()[0]
    assert painted(f"a {word}", 5, 96, 72).std() > 8


@pytest.mark.parametrize("time", ["dawn", "noon", "sunset", "dusk", "night"])
@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_every_place_can_be_painted_at_every_time(setting: str, time: str) -> None:
    assert painted(f"{setting} at {time}", 5, 96, 72).shape == (72, 96, 3)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (64, 512), (512, 64), (333, 97)])
def test_every_shape_of_paper_is_painted_to_its_edges(width: int, height: int) -> None:
    picture = painted("three birds over a castle in the rain", 1, width, height)
    assert picture.shape == (height, width, 3)
    assert picture[-1].std() > 0 or picture[0].std() > 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60), st.integers(0, 2**63 - 1))
def test_no_text_stops_the_painter(prompt: str, seed: int) -> None:
    assert painted(prompt, seed, 64, 64).shape == (64, 64, 3)


@pytest.mark.parametrize(
    "prompt",
    ["", "🦄🌈🚲", "a " * 8000, "x" * 16000, "城市 ve kırmızı boat 🚤", "\u202e\ufeff", "İ" * 50],
)
def test_odd_prompts_are_painted_too(prompt: str) -> None:
    assert painted(prompt, None, 96, 64).shape == (64, 96, 3)


def test_every_tenth_of_the_way_is_told_once_and_in_order() -> None:
    told: list[int] = []
    picture = render(Order("CREATE", "a cat", (), {"width": 96, "height": 64}), told.append)
    assert told == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert (picture.width, picture.height) == (96, 64)


def test_a_picture_comes_as_png_or_webp_of_the_asked_size() -> None:
    for name, start in (("png", b"\x89PNG"), ("webp", b"RIFF")):
        params = {"width": 80, "height": 64, "format": name}
        picture = render(Order("CREATE", "a fish", (), params), lambda percent: None)
        assert picture.content_type == f"image/{name}"
        assert picture.content.startswith(start)
        assert opened(picture.content).shape == (64, 80, 3)
