"""What stands out lies inside the box; what is calm or busy all over stays whole."""

import cv2
import numpy as np
import pytest

from pipelines.geometry import UNIT, Box
from pipelines.preview.saliency import (
    WORKING_SIDE,
    enclose,
    enclose_on_ground,
    guess_subject,
    measure_saliency,
)


@pytest.mark.parametrize("centre", [(150, 150), (450, 200), (300, 330)])
@pytest.mark.parametrize("ground", [(235, 235, 235), (20, 40, 90)])
def test_single_thing_on_an_even_ground_is_enclosed_whole_and_tightly(
    centre: tuple[int, int], ground: tuple[int, int, int]
) -> None:
    picture = np.full((450, 600, 3), ground, np.uint8)
    cv2.circle(picture, centre, 60, (180, 60, 40), cv2.FILLED)
    x, y = centre
    thing = Box((x - 60) / 600, (y - 60) / 450, (x + 61) / 600, (y + 61) / 450)

    tight, loose = enclose_on_ground(picture), enclose(measure_saliency(picture))

    assert tight is not None
    assert thing.inside(tight)
    assert tight.inside(thing.grown(0.03))
    assert thing.inside(loose)
    assert loose.inside(thing.grown(0.12))


def test_thing_on_a_shaded_ground_is_enclosed_tightly() -> None:
    shade = np.linspace(250, 150, 450)[:, None, None] - np.linspace(0, 30, 600)[None, :, None]
    picture = np.broadcast_to(shade, (450, 600, 3)).astype(np.uint8)
    cv2.circle(picture, (300, 200), 60, (180, 60, 40), cv2.FILLED)
    thing = Box(240 / 600, 140 / 450, 361 / 600, 261 / 450)

    found = enclose_on_ground(picture)

    assert found is not None
    assert thing.inside(found)
    assert found.inside(thing.grown(0.03))


def test_stars_around_a_planet_are_no_part_of_it() -> None:
    picture = np.zeros((600, 600, 3), np.uint8)
    picture[20:600:90, 30:600:70] = 200
    cv2.circle(picture, (300, 300), 120, (40, 90, 180), cv2.FILLED)

    found = enclose_on_ground(picture)

    assert found is not None
    assert Box(0.3, 0.3, 0.7, 0.7).inside(found)
    assert found.inside(Box(0.25, 0.25, 0.75, 0.75))


@pytest.mark.parametrize("seed", range(4))
def test_fine_grain_is_no_thing(seed: int) -> None:
    grain = np.random.default_rng(seed).integers(0, 256, (1200, 1600, 3), np.uint8)

    assert enclose_on_ground(grain) is None


@pytest.mark.parametrize("value", [0, 128, 255])
def test_even_ground_with_nothing_on_it_encloses_nothing(value: int) -> None:
    assert enclose_on_ground(np.full((300, 400, 3), value, np.uint8)) is None


def test_two_grounds_are_no_even_ground() -> None:
    picture = np.full((400, 600, 3), (120, 170, 230), np.uint8)
    picture[180:] = (40, 110, 40)
    cv2.circle(picture, (300, 180), 40, (250, 250, 250), cv2.FILLED)

    assert enclose_on_ground(picture) is None


def test_faint_second_thing_is_not_lost_beside_a_loud_one() -> None:
    picture = np.full((400, 600, 3), 128, np.uint8)
    cv2.circle(picture, (480, 200), 40, (255, 255, 255), cv2.FILLED)
    cv2.circle(picture, (120, 200), 40, (70, 90, 128), cv2.FILLED)

    assert enclose(measure_saliency(picture)).left < 80 / 600


def test_thing_that_touches_a_border_is_enclosed_up_to_it() -> None:
    picture = np.full((400, 600, 3), 220, np.uint8)
    cv2.rectangle(picture, (250, 250), (350, 399), (30, 60, 30), cv2.FILLED)

    found = enclose(measure_saliency(picture))

    assert found.bottom == 1
    assert found.top > 0.4


def test_picture_of_one_colour_is_kept_whole() -> None:
    assert enclose(measure_saliency(np.full((300, 400, 3), 90, np.uint8))) == UNIT


def test_picture_that_is_busy_all_over_is_kept_whole() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)

    assert enclose(measure_saliency(noise)) == UNIT


@pytest.mark.parametrize("shape", [(40, 60), (900, 1200), (33, 1500)])
def test_map_has_the_working_size_and_runs_from_0_to_1(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (*shape, 3), np.uint8)

    saliency = measure_saliency(picture)

    assert max(saliency.shape) == WORKING_SIDE
    assert saliency.min() >= 0
    assert saliency.max() <= 1


def test_subject_is_guessed_where_most_stands_out_and_near_the_middle() -> None:
    saliency = np.full((240, 320), 0.1, np.float32)
    saliency[80:160, 120:200] = 1.0
    saliency[200:, 300:] = 0.6  # something small in a corner

    (guess,) = guess_subject(saliency)

    assert Box(120 / 320, 80 / 240, 200 / 320, 160 / 240).inside(guess, 0.02)
    assert guess.area < 0.25


def test_nothing_is_guessed_where_nothing_stands_out() -> None:
    assert guess_subject(np.zeros((240, 320), np.float32)) == ()
