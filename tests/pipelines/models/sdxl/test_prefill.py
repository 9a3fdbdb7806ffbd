"""The first colours of the new area."""

import numpy as np

from pipelines.geometry import PixelBox
from pipelines.models.sdxl.prefill import fill_blurred
from tests.pipelines.models.sdxl.scenes import draw_canvas


def test_the_place_is_untouched_and_the_border_is_continued() -> None:
    place = PixelBox(100, 20, 200, 120)
    canvas = draw_canvas(300, 160, place)
    filled = fill_blurred(canvas)
    assert filled.size == canvas.size
    assert filled.crop(place).tobytes() == canvas.picture.crop(place).tobytes()
    beside = np.asarray(filled, float)[60, 200] - np.asarray(canvas.picture, float)[60, 199]
    assert np.abs(beside).max() < 12


def test_lines_dissolve_with_the_distance() -> None:
    filled = np.asarray(fill_blurred(draw_canvas(300, 160)), float)
    blue = filled[..., 2]  # changes from row to row
    near, far = (np.abs(np.diff(blue[:, x])).mean() for x in (226, 295))
    assert far < near / 4


def test_a_canvas_of_a_few_pixels_is_filled_too() -> None:
    assert fill_blurred(draw_canvas(3, 1, PixelBox(1, 0, 2, 1))).size == (3, 1)
