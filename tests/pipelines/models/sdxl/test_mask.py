"""What is painted beside the new area, and for how long the source holds on."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pipelines.models.sdxl.mask import (
    fade_mask,
    measure_hold,
    pick_cells,
    touch_cells,
    widen_mask,
)


def draw_mask(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    mask = np.full((128, 192), 255, np.uint8)
    mask[top:bottom, left:right] = 0
    return mask


def test_no_overlap_leaves_the_mask_as_it_is() -> None:
    mask = draw_mask(51, 5, 100, 77)
    assert widen_mask(mask, 0, 8) is mask


def test_a_band_of_the_source_is_painted_and_no_cell_is_torn() -> None:
    wide = widen_mask(draw_mask(0, 0, 100, 128), 16, 8)
    known = np.flatnonzero(wide[0] == 0)
    assert (known.min(), known.max()) == (0, 79)  # 100 - 16, down to the grid
    assert np.array_equal(wide[::8, ::8].repeat(8, 0).repeat(8, 1), wide)


@given(
    st.integers(0, 191),
    st.integers(0, 127),
    st.integers(1, 192),
    st.integers(1, 128),
    st.integers(0, 40),
)
def test_new_area_stays_new_and_a_source_of_some_cells_never_vanishes(
    left: int, top: int, width: int, height: int, overlap: int
) -> None:
    right, bottom = min(192, left + width), min(128, top + height)
    mask = draw_mask(left, top, right, bottom)
    wide = widen_mask(mask, overlap, 8)
    assert wide[mask == 255].all()
    if min(right - left, bottom - top) >= 24:
        assert not wide.all()


def test_the_source_holds_on_longer_the_deeper_inside() -> None:
    cells = pick_cells(draw_mask(0, 0, 96, 128), 8)
    hold = measure_hold(cells, 4)
    assert hold[0, 12:].max() == 0
    assert hold[0, :12].tolist() == pytest.approx([1] * 9 + [0.75, 0.5, 0.25])


def test_without_a_ramp_or_new_area_nothing_is_held() -> None:
    assert measure_hold(pick_cells(draw_mask(0, 0, 96, 128), 8), 0).max() == 0
    assert measure_hold(np.zeros((16, 16), np.float32), 4).max() == 0


def test_a_cell_with_one_painted_px_is_touched_even_if_its_first_is_not() -> None:
    mask = np.zeros((16, 24), np.uint8)
    mask[9, 17] = 255
    assert touch_cells(mask, 8).tolist() == [[False, False, False], [False, False, True]]
    assert not pick_cells(mask, 8).any()


def test_what_is_refined_fades_out_across_the_overlap() -> None:
    mask = draw_mask(0, 0, 100, 128)
    wide = widen_mask(mask, 16, 8)
    share = fade_mask(mask, wide)
    assert (share[mask == 255] == 1).all()
    assert (share[wide == 0] == 0).all()
    band = share[0, 80:100]
    assert (np.diff(band) > 0).all()
    assert 0 < band[0] < band[-1] < 1


@pytest.mark.parametrize("level", [0, 255])
def test_without_a_border_nothing_fades(level: int) -> None:
    mask = np.full((16, 24), level, np.uint8)
    assert (fade_mask(mask, widen_mask(mask, 16, 8)) == level // 255).all()
