"""Masks drawn by callers."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipelines.codec.limits import Limits
from pipelines.errors import ImageTooLarge, ImageUndecodable, InvalidOption
from pipelines.geometry import UNIT, Box, Size
from pipelines.protection import MOST_BOXES, read_mask
from tests.drawings import to_png

SOURCE = Size(3000, 2000)


def draw_mask(size: tuple[int, int], *parts: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    for left, top, right, bottom in parts:
        mask.paste(255, (left, top, right, bottom))
    return mask


def test_each_white_part_is_a_box() -> None:
    mask = draw_mask((300, 200), (30, 20, 60, 40), (150, 100, 300, 200))
    assert read_mask(to_png(mask), SOURCE) == (Box(0.1, 0.1, 0.2, 0.2), Box(0.5, 0.5, 1, 1))


def test_a_round_part_is_enclosed() -> None:
    mask = Image.new("L", (300, 200))
    ImageDraw.Draw(mask).ellipse((100, 50, 199, 149), fill=255)
    (box,) = read_mask(to_png(mask), SOURCE)
    assert box == pytest.approx((100 / 300, 50 / 200, 200 / 300, 150 / 200))


def test_white_protects_everything() -> None:
    assert read_mask(to_png(Image.new("1", (300, 200), 1)), SOURCE) == (UNIT,)


@pytest.mark.parametrize("mode", ["1", "L", "RGBA"])
def test_a_mask_that_protects_nothing_is_refused(mode: str) -> None:
    with pytest.raises(InvalidOption, match="none of it is white"):
        read_mask(to_png(Image.new(mode, (300, 200))), SOURCE)


def test_transparent_is_black_whatever_lies_below() -> None:
    mask = Image.new("RGBA", (300, 200), (255, 255, 255, 0))
    mask.paste((255, 255, 255, 255), (0, 0, 150, 200))
    assert read_mask(to_png(mask), SOURCE) == (Box(0, 0, 0.5, 1),)


def test_a_mask_is_turned_upright_as_its_picture_is() -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # what is stored on its left is shown at the top
    draw_mask((200, 300), (0, 0, 50, 300)).save(file, "PNG", exif=exif)
    assert read_mask(file.getvalue(), SOURCE) == (Box(0, 0, 1, 0.25),)


def test_a_speck_of_a_large_mask_still_counts() -> None:
    (box,) = read_mask(to_png(draw_mask((4001, 2667), (4000, 2666, 4001, 2667))), SOURCE)
    assert Box(4000 / 4001, 2666 / 2667, 1, 1).inside(box)
    assert box.width < 0.002


def test_many_parts_are_joined_and_none_is_lost() -> None:
    dots = np.zeros((400, 600), np.uint8)
    dots[5::20, 5::20] = 255
    boxes = read_mask(to_png(Image.fromarray(dots)), SOURCE)
    assert 0 < len(boxes) <= MOST_BOXES
    for y in range(5, 400, 20):
        for x in range(5, 600, 20):
            dot = Box(x / 600, y / 400, (x + 1) / 600, (y + 1) / 400)
            assert any(dot.inside(box) for box in boxes)


@pytest.mark.parametrize("size", [(200, 300), (300, 203), (30, 10), (1, 1)])
def test_a_mask_of_another_ratio_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidOption, match="ratio of its picture, 3000x2000"):
        read_mask(to_png(draw_mask(size)), SOURCE)


@pytest.mark.parametrize("size", [(300, 200), (1001, 667), (100, 67), (6000, 4001)])
def test_a_ratio_may_be_off_by_what_rounding_takes(size: tuple[int, int]) -> None:
    assert read_mask(to_png(Image.new("L", size, 255)), SOURCE) == (UNIT,)


def test_a_mask_is_held_to_the_limits_of_a_source() -> None:
    mask = to_png(draw_mask((300, 200)))
    with pytest.raises(ImageTooLarge):
        read_mask(mask, SOURCE, Limits(max_pixels=100))
    with pytest.raises(ImageUndecodable):
        read_mask(mask[:50], SOURCE)
