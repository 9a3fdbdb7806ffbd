"""The map of differences says where the source was touched, and nothing else."""

import numpy as np
from PIL import Image

from pipelines.canvas import lay_out, resample
from pipelines.compose import compose
from pipelines.geometry import Size
from pipelines.proof import map_difference, measure_preservation
from tests.drawings import NOTHING_SEEN, center, draw_coordinates

SOURCE = draw_coordinates(60, 40)


def finish(source: Image.Image, feather: int) -> tuple[Image.Image, Image.Image]:
    plan = center(Size(60, 40), Size(100, 40), feather)
    canvas = lay_out(source, plan, NOTHING_SEEN)
    output = compose(source, Image.new("RGB", plan.canvas, "red"), canvas, plan, 0).output
    return output, map_difference(output, source, plan)


def test_what_was_not_touched_is_black() -> None:
    output, difference = finish(SOURCE, feather=0)
    assert difference.mode == "L"
    assert difference.size == output.size
    assert difference.getextrema() == (0, 0)


def test_only_the_seam_shows_where_it_was_blended() -> None:
    _, difference = finish(SOURCE, feather=6)
    levels = np.asarray(difference)
    assert levels[:, 20:26].any()
    assert levels[:, 74:80].any()
    assert not np.delete(levels, np.r_[20:26, 74:80], axis=1).any()


def test_a_pixel_is_as_bright_as_its_worst_channel_is_off() -> None:
    plan = center(Size(60, 40), Size(100, 40))
    output, _ = finish(SOURCE, feather=0)
    red, green, blue = SOURCE.getpixel((30, 20))  # type: ignore[misc]
    output.putpixel((50, 20), (red - 3, green + 9, blue + 1))
    difference = map_difference(output, SOURCE, plan)
    assert difference.getpixel((50, 20)) == 9
    assert np.count_nonzero(np.asarray(difference)) == 1
    assert measure_preservation(output, SOURCE, plan).changed == 1


def test_changed_alpha_shows_too() -> None:
    source = SOURCE.copy()
    source.putalpha(128)
    plan = center(Size(60, 40), Size(60, 40))
    output = resample(source, plan)
    output.putpixel((5, 6), (*output.getpixel((5, 6))[:3], 100))  # type: ignore[index]
    assert map_difference(output, source, plan).getpixel((5, 6)) == 28
