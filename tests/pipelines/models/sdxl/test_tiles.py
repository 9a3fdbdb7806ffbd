"""Tiles cover everything, look alike, and their weights add up."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pipelines.geometry import Size
from pipelines.models.sdxl.tiles import Tiling

CELL = 8

sides = st.integers(1, 60).map(lambda cells: cells * CELL)


@st.composite
def tilings(draw: st.DrawFn) -> tuple[Size, int, int, Tiling]:
    picture = Size(draw(sides), draw(sides))
    side = CELL * draw(st.integers(2, 16))
    overlap = CELL * draw(st.integers(0, side // CELL // 2))
    return picture, side, overlap, Tiling.cover(picture, side, overlap, CELL)


@given(tilings())
def test_the_weights_add_up_to_one_everywhere(case: tuple[Size, int, int, Tiling]) -> None:
    picture, _, _, tiling = case
    total = np.zeros((picture.height, picture.width), np.float32)
    for box, (down, across) in zip(tiling.boxes, tiling.weights, strict=True):
        assert min(down.min(), across.min()) > 0
        total[box.top : box.bottom, box.left : box.right] += np.outer(down, across)
    np.testing.assert_allclose(total, 1, atol=1e-5)


@given(tilings())
def test_all_tiles_have_one_size_and_lie_inside_on_whole_cells(
    case: tuple[Size, int, int, Tiling],
) -> None:
    picture, side, _, tiling = case
    assert tiling.size == (min(side, picture.width), min(side, picture.height))
    for box in tiling.boxes:
        assert box.size == tiling.size
        assert not any(edge % CELL for edge in box)
        assert box.left >= 0
        assert box.top >= 0
        assert box.right <= picture.width
        assert box.bottom <= picture.height


@given(tilings())
def test_neighbours_overlap_enough_and_no_tile_is_spare(
    case: tuple[Size, int, int, Tiling],
) -> None:
    picture, side, overlap, tiling = case
    for length, starts in ((picture.width, tiling.lefts), (picture.height, tiling.tops)):
        steps = np.diff(starts)
        assert (steps > 0).all()
        assert (steps <= side - overlap).all()
        # one tile fewer could not reach from end to end
        assert (
            length == side
            or len(starts) == 1
            or side + (len(starts) - 2) * (side - overlap) < length
        )


@pytest.mark.parametrize(
    ("picture", "across", "down"),
    [
        (Size(1024, 1024), 1, 1),
        (Size(1920, 1024), 2, 1),
        (Size(1928, 1024), 3, 1),
        (Size(4096, 2304), 5, 3),
        (Size(3840, 2176), 5, 3),
        (Size(8192, 768), 9, 1),
    ],
)
def test_as_many_tiles_as_the_overlap_asks_for(picture: Size, across: int, down: int) -> None:
    tiling = Tiling.cover(picture, 1024, 128, CELL)
    assert (len(tiling.lefts), len(tiling.tops)) == (across, down)
    assert len(tiling.boxes) == across * down


def test_a_lone_tile_counts_fully() -> None:
    ((down, across),) = Tiling.cover(Size(64, 48), 128, 16, CELL).weights
    assert (down == 1).all()
    assert (across == 1).all()
    assert (len(across), len(down)) == (64, 48)


def test_a_tile_fades_where_it_meets_another_and_nowhere_else() -> None:
    first, second = (weights.across for weights in Tiling.cover(Size(96, 64), 64, 32, CELL).weights)
    assert (first[:32] == 1).all()
    assert (np.diff(first[32:]) < 0).all()
    np.testing.assert_allclose(second, first[::-1], atol=1e-6)


whole = st.integers(1, 12).map(lambda cells: cells * 64)


@given(whole, whole)
def test_shared_out_tiles_are_equal_cover_all_and_none_exceeds_the_native_area(
    width: int, height: int
) -> None:
    tiling = Tiling.share_out(Size(width, height), 256, 32, CELL)
    assert tiling.size.area <= 256**2
    assert not any(side % 64 for side in tiling.size)
    assert not any(side % CELL for box in tiling.boxes for side in box)
    covered = np.zeros((height, width), np.float32)
    for box, (down, across) in zip(tiling.boxes, tiling.weights, strict=True):
        assert box.size == tiling.size
        covered[box.top : box.bottom, box.left : box.right] += np.outer(down, across)
    np.testing.assert_allclose(covered, 1, atol=1e-5)
    for starts, side in ((tiling.lefts, tiling.size.width), (tiling.tops, tiling.size.height)):
        assert all(step <= side - 32 for step in np.diff(starts))


@pytest.mark.parametrize(
    "picture",
    [Size(4096, 2304), Size(3840, 2176), Size(4096, 4096), Size(8192, 768), Size(2304, 1536)],
)
def test_shared_out_tiles_repeat_less_than_squares(picture: Size) -> None:
    shared = Tiling.share_out(picture, 1024, 128, CELL)
    squares = Tiling.cover(picture, 1024, 128, 64)
    assert shared.area < squares.area
    assert not shared.is_oblong


def test_a_narrow_picture_has_narrow_tiles() -> None:
    tiling = Tiling.share_out(Size(4096, 64), 1024, 128, CELL)
    assert tiling == Tiling(Size(4096, 64), (0,), (0,))
