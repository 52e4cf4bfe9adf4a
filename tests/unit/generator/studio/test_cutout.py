"""Subjects on white."""

import cv2
import numpy as np
import pytest

from generator.provider import Rejected
from generator.studio.cutout import on_white, subject_of
from generator.studio.orders import Order
from generator.studio.render import render
from unit.generator.studio.photos import RED, ball_photo, file_of, sitter_photo


@pytest.mark.parametrize("busy", [False, True])
def test_the_background_becomes_pure_white_and_the_subject_keeps_its_colour(busy: bool) -> None:
    photo = ball_photo(busy=busy)
    result = on_white(photo, lambda percent: None)
    for corner in (result[:8, :8], result[:8, -8:], result[-8:, :8], result[-8:, -8:]):
        assert (corner == 255).all()
    middle = (slice(50, 70), slice(70, 90))
    assert np.abs(result[middle].astype(int) - photo[middle]).mean() < 6
    assert np.abs(result[60, 80].astype(int) - RED).max() < 40


def test_a_soft_shadow_lies_under_the_subject() -> None:
    result = on_white(ball_photo(320, 240), lambda percent: None)
    under = result[183:190, 150:170].astype(int)
    assert 150 < under.mean() < 253
    assert np.abs(under[..., 0] - under[..., 2]).max() < 12


def test_the_edge_is_feathered_not_jagged() -> None:
    result = on_white(ball_photo(320, 240), lambda percent: None)
    green = result[120, 80:160, 1]
    assert ((green > 70) & (green < 235)).any()


@pytest.mark.parametrize("shape", [(400, 400), (400, 300), (260, 400)])
def test_a_person_keeps_head_hair_and_body(shape: tuple[int, int]) -> None:
    photo = np.ascontiguousarray(sitter_photo()[: shape[0], 200 - shape[1] // 2 :][:, : shape[1]])
    alpha = subject_of(photo, lambda percent: None)
    left = 200 - shape[1] // 2
    for x, y in ((200, 120), (200, 45), (150, 90), (250, 90), (200, 200), (150, 250), (250, 250)):
        assert alpha[y - 3 : y + 4, x - left - 3 : x - left + 4].mean() > 0.9, (x, y)
    for x, y in ((110, 60), (300, 60), (320, 150), (90, 150)):
        assert alpha[y - 3 : y + 4, x - left - 3 : x - left + 4].mean() < 0.1, (x, y)


def test_thin_legs_that_stand_out_belong_to_the_subject() -> None:
    photo = np.full((300, 400, 3), 246, np.uint8)
    cv2.ellipse(photo, (200, 110), (110, 50), 0, 0, 360, (30, 28, 26), -1, cv2.LINE_AA)
    for x in (120, 150, 250, 280):
        cv2.rectangle(photo, (x, 120), (x + 9, 280), (30, 28, 26), -1)
    alpha = subject_of(photo, lambda percent: None)
    for x in (120, 150, 250, 280):
        assert alpha[170:275, x + 3 : x + 7].mean() > 0.9


def test_the_same_photo_gives_the_same_picture() -> None:
    photo = sitter_photo(200)
    assert np.array_equal(on_white(photo, lambda percent: None), on_white(photo, lambda _: None))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_photo_of_nothing_keeps_its_middle(level: int) -> None:
    photo = np.full((90, 120, 3), level, np.uint8)
    result = on_white(photo, lambda percent: None)
    assert result.shape == photo.shape
    assert (result[0] == 255).all()
    assert abs(int(result[45, 60, 0]) - level) <= 2


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (300, 2), (9, 9)])
def test_the_tiniest_photos_pass(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*shape, 3)).astype(np.uint8)
    assert on_white(noise, lambda percent: None).shape == (*shape, 3)


def test_a_missing_photo_is_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        render(Order("WHITE_BACKGROUND", ""), lambda percent: None)
    assert refusal.value.code == "invalid_input"


def test_every_tenth_of_the_way_is_told() -> None:
    told: list[int] = []
    render(Order("WHITE_BACKGROUND", "", (file_of(ball_photo()),)), told.append)
    assert told == [10, 20, 30, 40, 50, 60, 70, 80, 90]
