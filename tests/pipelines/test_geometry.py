"""Sizes, boxes and ratios."""

import pytest

from pipelines.errors import InvalidOption
from pipelines.geometry import AspectRatio, Box, Edge, PixelBox, Size


@pytest.mark.parametrize(
    ("text", "size"),
    [("1080x1350", (1080, 1350)), (" 970 × 90 ", (970, 90)), ("1X1", (1, 1)), ("8*9", (8, 9))],
)
def test_a_size_is_read_as_people_write_it(text: str, size: tuple[int, int]) -> None:
    assert Size.parse(text) == size


@pytest.mark.parametrize(
    "text", ["", "1080", "0x10", "10x000", "-1x5", "1e3x5", "10x10x10", "axb", "\u0660x100"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption, match="WIDTHxHEIGHT"):
        Size.parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("16:9", 16 / 9), ("9/16", 9 / 16), ("1.91:1", 1.91), ("2", 2.0), ("970x90", 970 / 90)],
)
def test_a_ratio_is_read_as_people_write_it(text: str, value: float) -> None:
    assert AspectRatio.parse(text).value == pytest.approx(value)


@pytest.mark.parametrize("text", ["", ":", "16:", "0:9", "16:0", "a:b", "16:9:4", "-16:9", "nan"])
def test_what_is_no_ratio_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption, match="WIDTH:HEIGHT"):
        AspectRatio.parse(text)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (Size(3000, 2000), Size(300, 200), True),
        (Size(3000, 2000), Size(1000, 667), True),
        (Size(100, 67), Size(6000, 4000), True),
        (Size(3000, 2000), Size(300, 203), False),
        (Size(3000, 2000), Size(200, 300), False),
        (Size(3000, 2000), Size(15, 10), True),
        (Size(3000, 2000), Size(20, 13), True),
        (Size(3000, 2000), Size(4, 3), False),
        (Size(3000, 2000), Size(1, 1), False),
        (Size(2000, 2000), Size(1, 1), True),
    ],
)
def test_sizes_of_one_ratio_may_differ_by_what_rounding_takes(
    one: Size, other: Size, *, alike: bool
) -> None:
    assert one.resembles(other) is alike
    assert other.resembles(one) is alike


def test_a_box_of_fractions_is_read() -> None:
    assert Box.parse_fractions("0.1, 0.2,0.9,1") == Box(0.1, 0.2, 0.9, 1)


@pytest.mark.parametrize("text", ["", "0,0,1", "0,0,0,1", "0.9,0,0.1,1", "0,0,2,1", "0,0,nan,1"])
def test_a_box_without_area_or_outside_is_refused(text: str) -> None:
    with pytest.raises(InvalidOption, match="left,top,right,bottom"):
        Box.parse_fractions(text)


def test_boxes_that_do_not_meet_have_no_common_area() -> None:
    assert Box(0, 0, 1, 1).intersection(Box(2, 2, 3, 3)).area == 0
    assert Box(0, 0, 2, 2).intersection(Box(1, 1, 3, 3)) == Box(1, 1, 2, 2)


def test_gaps_are_what_surrounds_a_placed_box() -> None:
    gaps = PixelBox(10, 0, 90, 50).gaps(Size(100, 60))
    assert gaps == {Edge.LEFT: 10, Edge.TOP: 0, Edge.RIGHT: 10, Edge.BOTTOM: 10}


def test_a_size_and_a_ratio_print_as_they_are_written() -> None:
    assert f"{Size(1080, 1350)} {AspectRatio(1.91, 1)}" == "1080x1350 1.91:1"
