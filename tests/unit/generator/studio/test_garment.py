"""Other clothes for someone in a photo."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from generator.studio.cutout import subject_of
from generator.studio.garment import change, find_face, garment_region, lit_cloth, wished
from generator.studio.orders import Order
from generator.studio.render import render
from generator.studio.words import read
from unit.generator.studio.photos import ball_photo, file_of, hue_share, person_photo, sitter_photo

CHEST = (slice(95, 135), slice(70, 110))
FACE = (slice(45, 62), slice(82, 98))
LEGS = (slice(165, 210), slice(78, 102))


Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.float32]


def nothing(percent: int) -> None: ...


def test_the_face_is_found_above_the_shirt() -> None:
    photo = person_photo()
    face = find_face(photo, subject_of(photo, nothing))
    assert face is not None
    assert abs(face.x - 90) < 8
    assert abs(face.y - 54) < 14


def test_the_shirt_takes_the_named_colour_and_keeps_its_folds() -> None:
    photo = person_photo()
    dressed = change(photo, None, read("a red shirt"), nothing)
    assert hue_share(np.ascontiguousarray(dressed[CHEST]), 340, 20) > 0.9
    before = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[CHEST].astype(float).mean(axis=0)
    after = cv2.cvtColor(dressed, cv2.COLOR_RGB2GRAY)[CHEST].astype(float).mean(axis=0)
    assert np.corrcoef(before, after)[0, 1] > 0.9
    assert after.std() > 0.4 * before.std()


def lightness(pixels: Pixels) -> float:
    lab = cv2.cvtColor(np.ascontiguousarray(pixels).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(lab[..., 0].mean())


@pytest.mark.parametrize(
    "prompt",
    ["a deep green coat", "a dark red coat", "a navy suit", "a pale pink dress", "black", "white"],
)
def test_the_garment_is_as_light_as_the_wished_colour(prompt: str) -> None:
    scene = read(prompt)
    dressed = change(sitter_photo(), None, scene, nothing)
    wish = lightness(wished(scene)[None, None] * 255)
    assert abs(lightness(dressed[280:380, 130:270]) - wish) < 6


def test_shades_of_a_colour_differ_in_lightness_as_painters_name_them() -> None:
    names = ("dark green", "deep green", "green", "light green", "pale green")
    tones = [lightness(wished(read(name))[None, None] * 255) for name in names]
    assert tones == sorted(tones)
    assert np.diff(tones).min() > 3


def test_folds_stay_within_black_and_white_and_highlights_grow_pale() -> None:
    relief = np.linspace(-60, 60, 41, dtype=np.float32)[None]
    for own in ((58, -44, 30), (20, 5, -20), (96, 0, 2)):
        cloth = np.broadcast_to(np.array(own, np.float32), (1, 41, 3))
        lit = lit_cloth(np.asarray(cloth), relief, 55.0)
        assert abs(float(lit[0, 20, 0]) - own[0]) < 1
        assert (np.diff(lit[0, :21, 0]) > 0).all()
        assert (np.diff(lit[0, 20:, 0]) >= 0).all()
        assert 0 < lit[..., 0].min() < lit[..., 0].max() < 100
        assert (np.abs(lit[0, :, 1:]) <= np.abs(np.array(own[1:])) + 1e-3).all()


def test_face_and_trousers_stay_as_they_are() -> None:
    photo = person_photo()
    dressed = change(photo, None, read("a red shirt"), nothing)
    for part in (FACE, LEGS):
        assert np.abs(dressed[part].astype(int) - photo[part]).mean() < 4


def test_the_second_picture_gives_colour_and_pattern() -> None:
    stripes = np.zeros((120, 120, 3), np.uint8)
    stripes[:] = (40, 60, 190)
    stripes[(np.arange(120) // 12) % 2 == 0] = (235, 200, 60)
    dressed = change(person_photo(), stripes, read(""), nothing)
    chest = np.ascontiguousarray(dressed[CHEST])
    assert hue_share(chest, 205, 250) > 0.15
    assert hue_share(chest, 35, 65) > 0.15


def test_without_a_person_the_main_subject_is_dressed() -> None:
    photo = ball_photo()
    dressed = change(photo, None, read("blue"), nothing)
    assert hue_share(np.ascontiguousarray(dressed[45:75, 65:95]), 200, 240) > 0.9
    assert np.abs(dressed[:12].astype(int) - photo[:12]).mean() < 2


@pytest.mark.parametrize("level", [0, 255])
def test_a_photo_of_nothing_passes(level: int) -> None:
    photo = np.full((60, 80, 3), level, np.uint8)
    region = garment_region(photo, subject_of(photo, nothing))
    assert region.shape == (60, 80)
    assert change(photo, photo, read(""), nothing).shape == photo.shape


def test_every_tenth_of_the_way_is_told() -> None:
    told: list[int] = []
    references = (file_of(person_photo()), file_of(ball_photo()))
    picture = render(Order("CLOTHING_CHANGE", "", references), told.append)
    assert told == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert (picture.width, picture.height) == (180, 220)
