"""Other clothes for someone in a photo."""

import cv2
import numpy as np
import pytest

from generator.studio.cutout import subject_of
from generator.studio.garment import change, find_face, garment_region
from generator.studio.orders import Order
from generator.studio.render import render
from generator.studio.words import read
from unit.generator.studio.photos import ball_photo, file_of, hue_share, person_photo

CHEST = (slice(95, 135), slice(70, 110))
FACE = (slice(45, 62), slice(82, 98))
LEGS = (slice(165, 210), slice(78, 102))


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
