"""From paper to pixels."""

import pytest

from pipelines.errors import InvalidOption
from pipelines.geometry import PixelBox, Size
from pipelines.presets.sheet import Sheet


@pytest.mark.parametrize(
    ("paper", "bleed", "trimmed", "whole"),
    [
        ((148, 210), 3, Size(1748, 2480), Size(1819, 2551)),
        ((210, 297), 3, Size(2480, 3508), Size(2551, 3579)),
        ((297, 420), 3, Size(3508, 4961), Size(3579, 5031)),
        ((420, 594), 3, Size(4961, 7016), Size(5031, 7087)),
        ((215.9, 279.4), 3.175, Size(2550, 3300), Size(2625, 3375)),
        ((101.6, 152.4), 3.175, Size(1200, 1800), Size(1275, 1875)),
        ((85, 55), 3, Size(1004, 650), Size(1075, 720)),
    ],
)
def test_paper_at_300_dpi_has_these_pixels_without_and_with_its_bleed(
    paper: tuple[float, float], bleed: float, trimmed: Size, whole: Size
) -> None:
    assert Sheet(*paper).size == trimmed
    assert Sheet(*paper, bleed=bleed).size == whole


def test_half_the_dots_are_half_the_pixels() -> None:
    assert Sheet(254, 127, dpi=150).size == Size(1500, 750)
    assert Sheet(254, 127, dpi=300).size == Size(3000, 1500)


def test_the_cut_leaves_the_paper_but_for_rounding() -> None:
    for paper in ((148, 210), (210, 297), (297, 420), (420, 594), (85, 55)):
        left = Sheet(*paper, bleed=3).trim.size
        wanted = Sheet(*paper).size
        assert abs(left.width - wanted.width) <= 1
        assert abs(left.height - wanted.height) <= 1
    assert Sheet(25.4, 50.8).trim == PixelBox(0, 0, 300, 600)


def test_bleed_and_margin_are_kept_clear_on_every_side() -> None:
    sheet = Sheet(94, 194, bleed=3, margin=2)  # 100 by 200 mm in all
    top, bottom, left, right = sheet.keep_clear
    assert top == pytest.approx((0, 0, 1, 0.025))
    assert bottom == pytest.approx((0, 0.975, 1, 1))
    assert left == pytest.approx((0, 0.025, 0.05, 0.975))
    assert right == pytest.approx((0.95, 0.025, 1, 0.975))
    assert Sheet(94, 194).keep_clear == ()


@pytest.mark.parametrize(
    "numbers", [(0, 10), (10, -1), (10, 10, 0), (10, 10, 300, -1), (10, 10, 300, 0, -1)]
)
def test_a_sheet_that_cannot_be_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(InvalidOption, match="a sheet"):
        Sheet(*numbers)
