"""What stands out from a photo's border."""

import cv2
import numpy as np

from generator.studio.salience import standing_out
from unit.generator.studio.photos import ball_photo


def test_the_ball_stands_out_from_landscape_and_studio() -> None:
    for busy in (False, True):
        found = standing_out(ball_photo(320, 240, busy=busy))
        assert found.shape == (240, 320)
        assert found[110:130, 150:170].min() > 2 * found[:20].max()


def test_what_the_border_cuts_off_still_stands_out() -> None:
    photo = np.full((240, 320, 3), (150, 170, 190), np.uint8)
    photo[90:, 110:210] = (190, 60, 40)
    found = standing_out(photo)
    assert found[150:, 120:200].min() > 2 * found[:80].max()


def test_a_sharp_subject_that_fills_the_picture_stands_out_from_the_blur_beside_it() -> None:
    rng = np.random.default_rng(2)
    fur = cv2.GaussianBlur(rng.normal(0, 60, (240, 320)).astype(np.float32), (0, 0), 1)
    photo = np.full((240, 320, 3), (186.0, 130, 90)) + fur[..., None]
    photo[:, 230:] = (120, 118, 124)
    found = standing_out(np.clip(photo, 0, 255).astype(np.uint8))
    assert found[60:180, 20:210].mean() > 2 * found[:, 240:].mean()


def test_it_is_the_same_each_time() -> None:
    photo = ball_photo(busy=True)
    assert np.array_equal(standing_out(photo), standing_out(photo))
