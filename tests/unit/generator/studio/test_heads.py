"""Heads in photos: faces with eyes, and where the rest of the person is."""

import cv2
import numpy as np
import pytest

from generator.studio.heads import Face, body_area, faces_in, person_area
from unit.generator.studio.photos import SKIN, ball_photo, sitter_photo


def test_a_face_is_found_by_its_eyes() -> None:
    (face,) = faces_in(sitter_photo())
    assert abs(face.x - 200) < 12
    assert abs(face.y - 120) < 25
    assert 30 < face.half < 60


def test_a_face_is_found_at_another_size() -> None:
    (face,) = faces_in(sitter_photo(200))
    assert abs(face.x - 100) < 8
    assert 15 < face.half < 30


@pytest.mark.parametrize("spots", [(), (180,), (150, 165, 200)])
def test_skin_without_two_eyes_is_no_face(spots: tuple[int, ...]) -> None:
    photo = np.full((300, 400, 3), 200, np.uint8)
    cv2.ellipse(photo, (200, 150), (50, 65), 0, 0, 360, SKIN, -1, cv2.LINE_AA)
    for x in spots:
        cv2.circle(photo, (x, 130 + x // 10), 7, (40, 30, 30), -1, cv2.LINE_AA)
    assert faces_in(photo) == []


def test_a_ball_has_no_face() -> None:
    assert faces_in(ball_photo(400, 300, busy=True)) == []


def test_the_person_is_below_and_around_the_face() -> None:
    face = Face(100, 60, 20)
    sure, likely = person_area((240, 200), face), body_area((240, 200), face)
    assert not (sure & ~likely).any()
    for x, y in ((100, 60), (100, 92), (100, 140)):  # face, neck, chest
        assert sure[y, x]
    for x, y in ((100, 30), (125, 45), (150, 150)):  # hair, shoulder
        assert likely[y, x]
        assert not sure[y, x]
    for x, y in ((160, 60), (40, 60), (170, 150), (100, 10), (100, 230)):
        assert not likely[y, x]


def test_a_face_at_the_edge_stays_in_the_picture() -> None:
    for area in (person_area, body_area):
        assert area((50, 40), Face(-5, 60, 30)).shape == (50, 40)
