"""What the painter understands of a prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.studio.words import Scene, Subject, read, seed_of


@pytest.mark.parametrize(
    ("prompt", "subjects"),
    [
        ("a red bicycle", [Subject("bicycle", "red")]),
        ("bike painted in blue", [Subject("bicycle", "blue")]),
        ("two white cats and a black dog", [Subject("cat", "white", 2), Subject("dog", "black")]),
        ("sailboats", [Subject("boat", None, 3)]),
        ("a hot air balloon", [Subject("balloon")]),
        ("5 purple butterflies", [Subject("butterfly", "purple", 5)]),
        ("a cherry blossom tree", [Subject("blossom")]),
        ("portrait of a woman in red", [Subject("portrait", "red")]),
        ("a woman in a blue dress", [Subject("woman", "blue")]),
        ("a garden without people, one rose", [Subject("flower")]),
        ("湖边的红色自行车", [Subject("bicycle", "red")]),
        ("夕阳下的白色帆船", [Subject("boat", "white")]),
        ("kırmızı bisiklet", [Subject("bicycle", "red")]),
        ("mor çiçekler", [Subject("flower", "purple", 3)]),
    ],
)
def test_a_noun_takes_its_colour_and_its_count(prompt: str, subjects: list[Subject]) -> None:
    assert list(read(prompt).subjects) == subjects


@pytest.mark.parametrize(
    ("prompt", "axes"),
    [
        ("mountains at sunset", {"setting": "mountains", "time": "sunset"}),
        ("rainy night in Tokyo", {"setting": "city", "time": "night", "weather": "rain"}),
        ("a misty autumn forest", {"setting": "forest", "weather": "fog", "season": "autumn"}),
        ("golden hour by the sea", {"setting": "sea", "time": "sunset"}),
        ("dreamy winter lake", {"setting": "lake", "season": "winter", "mood": "dreamy"}),
        ("gece gökyüzü ve deniz", {"setting": "sea", "time": "night"}),
        ("下雨的森林", {"setting": "forest", "weather": "rain"}),
        ("qwertz uiop", {}),
    ],
)
def test_a_prompt_chooses_place_time_and_weather(prompt: str, axes: dict[str, str]) -> None:
    scene = read(prompt)
    found = {
        name: getattr(scene, name) for name in ("setting", "time", "weather", "season", "mood")
    }
    assert {name: value for name, value in found.items() if value} == axes


def test_colours_of_places_tint_them() -> None:
    scene = read("a purple sky over a turquoise sea")
    assert scene.tint("sky") == "purple"
    assert scene.tint("water") == "turquoise"


def test_a_colour_that_belongs_to_nothing_is_kept_for_the_whole() -> None:
    assert read("something pink").colours == ("pink",)


def test_the_seed_follows_every_character_of_the_prompt() -> None:
    long = "tree " * 3200
    assert seed_of(long) != seed_of(long + ".")
    assert read("a tree", 7).seed == 7


@given(st.text(max_size=400), st.none() | st.integers(0, 2**63 - 1))
def test_every_text_is_a_scene(prompt: str, seed: int | None) -> None:
    scene = read(prompt, seed)
    assert isinstance(scene, Scene)
    assert scene == read(prompt, seed)


@pytest.mark.parametrize(
    ("prompt", "shades"),
    [
        ("a deep green wool coat", {"green": "deep"}),
        ("koyu yeşil bir ceket", {"green": "dark"}),
        ("açık mavi gömlek", {"blue": "light"}),
        ("浅蓝色衬衫", {"blue": "light"}),
        ("深绿色的衣服", {"green": "dark"}),
        ("a burgundy dress", {"red": "dark"}),
        ("a pale silk pink dress and a dark red bag", {"pink": "pale", "red": "dark"}),
        ("a green coat in a dark room", {}),
        ("a red coat, then a dark red one", {}),
        ("深蓝西装", {}),
    ],
)
def test_a_shade_belongs_to_the_colour_after_it(prompt: str, shades: dict[str, str]) -> None:
    assert dict(read(prompt).shades) == shades


def test_figures_that_are_no_numbers_are_words_that_nobody_knows() -> None:
    assert list(read("፩ red horses").subjects) == list(read("red horses").subjects)
