"""The plan's passes in canvas pixels."""

from itertools import pairwise

from hypothesis import given, strategies as st
from PIL import Image

from pipelines.canvas import Canvas, lay_out
from pipelines.geometry import Box, PixelBox, Size
from pipelines.plan import GROWTH, Plan
from tests.drawings import NOTHING_SEEN, center

SIDES = st.integers(1, 400)


def lay(plan: Plan, size: Size | None = None) -> Canvas:
    return lay_out(Image.new("RGB", plan.place.size), plan, NOTHING_SEEN, size)


def whole(canvas: Canvas) -> PixelBox:
    return PixelBox(0, 0, *canvas.size)


@given(SIDES, SIDES, SIDES, SIDES, st.booleans())
def test_passes_grow_from_the_place_to_the_whole_canvas(
    width: int, height: int, wider: int, higher: int, small: bool
) -> None:
    source, target = Size(width, height), Size(width + 3 * wider, height + 3 * higher)
    size = Size(*(max(1, side * 2 // 3) for side in target)) if small else None
    canvas = lay(center(source, target), size)
    frames = (canvas.place, *canvas.passes)
    for inner, outer in pairwise(frames):
        assert Box(*inner).inside(Box(*outer), 0)
        assert inner != outer
        for before, after in zip(inner.size, outer.size, strict=True):
            assert after <= before * GROWTH + 3  # both ends are rounded
    assert frames[-1] == whole(canvas)


def test_a_little_growth_is_one_pass() -> None:
    canvas = lay(center(Size(200, 100), Size(300, 100)))
    assert canvas.passes == (whole(canvas),)


def test_more_growth_adds_the_same_share_in_every_pass() -> None:
    canvas = lay(center(Size(200, 100), Size(450, 100)))
    assert canvas.passes == (PixelBox(75, 0, 375, 100), whole(canvas))


def test_where_nothing_is_painted_there_is_no_pass() -> None:
    assert lay(center(Size(200, 100), Size(200, 100))).passes == ()


def test_passes_too_small_to_be_seen_are_left_out() -> None:
    """A source of a few px on a wide output: the first frames are the same whole pixels."""
    plan = center(Size(4, 4), Size(900, 4))
    canvas = lay(plan, Size(90, 4))
    assert len(canvas.passes) < len(plan.passes)
    assert len(set(canvas.passes)) == len(canvas.passes)
    assert canvas.passes[-1] == whole(canvas)
