"""Windows hold what is new with some ground around, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pipelines.geometry import PixelBox
from pipelines.models.sdxl.windows import BLEND, CONTEXT, WORTHWHILE, choose_windows, fade_into

ROWS, COLUMNS = 96, 168
"""Of the bucket of 1344x768 px."""


def mark(*boxes: PixelBox) -> np.ndarray:
    new = np.zeros((ROWS, COLUMNS), bool)
    for left, top, right, bottom in boxes:
        new[top:bottom, left:right] = True
    return new


@pytest.mark.parametrize(
    ("new", "windows"),
    [
        # growth to one side, to two opposite ones, above, and into a corner
        ([PixelBox(140, 0, 168, 96)], [(128, 0, 168, 96)]),
        ([PixelBox(0, 0, 30, 96), PixelBox(140, 0, 168, 96)], [(0, 0, 48, 96), (128, 0, 168, 96)]),
        ([PixelBox(0, 0, 168, 10)], [(0, 0, 168, 24)]),
        ([PixelBox(0, 0, 168, 9), PixelBox(0, 90, 168, 96)], [(0, 0, 168, 24), (0, 72, 168, 96)]),
        ([PixelBox(150, 80, 168, 96)], [(136, 64, 168, 96)]),
        # too much of it: the whole; a frame around the source, too
        ([PixelBox(30, 0, 168, 96)], [(0, 0, 168, 96)]),
        ([PixelBox(0, 0, 168, 5), PixelBox(0, 0, 5, 96)], [(0, 0, 168, 96)]),
        ([], []),
    ],
)
def test_growth_gets_the_windows_that_it_needs(
    new: list[PixelBox], windows: list[tuple[int, ...]]
) -> None:
    assert list(choose_windows(mark(*new))) == windows


@st.composite
def boxes(draw: st.DrawFn) -> PixelBox:
    left, top = draw(st.integers(0, COLUMNS - 1)), draw(st.integers(0, ROWS - 1))
    right, bottom = draw(st.integers(left + 1, COLUMNS)), draw(st.integers(top + 1, ROWS))
    return PixelBox(left, top, right, bottom)


@given(st.lists(boxes(), min_size=1, max_size=3))
def test_every_new_cell_lies_in_one_window_and_away_from_its_inner_sides(
    new: list[PixelBox],
) -> None:
    cells, covered = mark(*new), np.zeros((ROWS, COLUMNS), int)
    windows = choose_windows(cells)
    for left, top, right, bottom in windows:
        covered[top:bottom, left:right] += 1
        inside = mark(
            PixelBox(
                left + CONTEXT if left else 0,
                top + CONTEXT if top else 0,
                right - CONTEXT if right < COLUMNS else COLUMNS,
                bottom - CONTEXT if bottom < ROWS else ROWS,
            )
        )
        here = mark(PixelBox(left, top, right, bottom))
        assert not (cells & here & ~inside).any()
    assert covered.max() == 1
    assert (covered[cells] == 1).all()
    area = sum(window.size.area for window in windows)
    assert area <= WORTHWHILE * cells.size or area == cells.size


def test_a_window_fades_only_where_the_picture_goes_on() -> None:
    down, across = fade_into(PixelBox(0, 0, 48, 96), COLUMNS, ROWS, 8)
    assert (down == 1).all()
    assert len(down) == 96 * 8
    assert (across[: -BLEND * 8] == 1).all()
    end = across[-BLEND * 8 :]
    assert (np.diff(end) < 0).all()
    assert 0 < end[-1] < end[0] < 1
