"""Any canvas onto a trained size and back."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image

from pipelines.geometry import PixelBox, Size
from pipelines.models.sdxl.buckets import FULL, GRID, TRAINED, WIDEST, Fit, choose_bucket
from tests.drawings import draw_coordinates

SIDES = st.integers(1, 3000)
SIZES = st.builds(Size, SIDES, SIDES)
NATIVES = st.sampled_from([128, 512, FULL])


@given(SIZES, NATIVES)
def test_a_bucket_lies_on_the_grid_near_the_models_area(canvas: Size, native: int) -> None:
    bucket = choose_bucket(canvas, native)
    assert bucket.width % GRID == bucket.height % GRID == 0
    assert bucket.short_side >= GRID
    if max(canvas.aspect, 1 / canvas.aspect) < native / GRID:
        assert bucket.area <= 1.6 * native * native
    if native == FULL and canvas.long_side <= 8 * canvas.short_side:
        assert 0.6 * FULL**2 <= bucket.area <= 1.05 * FULL**2


@given(SIZES, NATIVES)
def test_a_canvas_on_its_side_gets_the_bucket_on_its_side(canvas: Size, native: int) -> None:
    turned = Size(canvas.height, canvas.width)
    assert choose_bucket(turned, native) == choose_bucket(canvas, native)[::-1]


@pytest.mark.parametrize("size", [*TRAINED, *(Size(high, wide) for wide, high in TRAINED)])
def test_a_trained_size_is_its_own_bucket(size: Size) -> None:
    assert choose_bucket(size) == size
    assert choose_bucket(Size(*(side // 2 for side in size))) == size


@given(st.floats(WIDEST, 12))
def test_a_banner_gets_a_longer_bucket_of_nearly_its_shape(aspect: float) -> None:
    bucket = choose_bucket(Size(round(1000 * aspect), 1000))
    assert bucket.aspect == pytest.approx(aspect, rel=0.06)


@given(SIZES)
def test_the_canvas_keeps_its_shape_and_reaches_two_sides(canvas: Size) -> None:
    fit = Fit.make(canvas, choose_bucket(canvas))
    gaps = fit.place.gaps(fit.bucket)
    assert min(gaps.values()) >= 0
    width, height = fit.place.size
    assert width == fit.bucket.width or height == fit.bucket.height
    scale = min(fit.bucket.width / canvas.width, fit.bucket.height / canvas.height)
    assert abs(width - canvas.width * scale) <= 1
    assert abs(height - canvas.height * scale) <= 1


@given(st.builds(Size, st.integers(1, 90), st.integers(1, 90)))
def test_there_and_back_is_the_canvas_size(canvas: Size) -> None:
    fit = Fit.make(canvas, choose_bucket(canvas, 128))
    there = fit.enlarge(Image.new("RGB", canvas, (10, 20, 30)))
    assert there.size == fit.bucket
    assert there.getextrema() == ((10, 10), (20, 20), (30, 30))
    assert fit.shrink(there).size == canvas


def test_a_canvas_of_a_buckets_size_is_not_resampled() -> None:
    fit = Fit.make(Size(192, 128), Size(192, 128))
    picture = draw_coordinates(192, 128)
    assert fit.enlarge(picture).tobytes() == picture.tobytes()
    assert fit.shrink(picture).tobytes() == picture.tobytes()


def test_the_padding_mirrors_the_canvas_and_counts_as_new() -> None:
    fit = Fit.make(Size(100, 128), Size(128, 128))
    assert fit.place == PixelBox(14, 0, 114, 128)
    picture = draw_coordinates(100, 128)
    shown, given_pixels = np.asarray(fit.enlarge(picture)), np.asarray(picture)
    assert np.array_equal(shown[:, :14], given_pixels[:, :14][:, ::-1])
    mask = np.asarray(fit.enlarge_mask(Image.new("L", (100, 128), 0)))
    assert mask[:, :14].min() == mask[:, 114:].min() == 255
    assert mask[:, 14:114].max() == 0


def test_a_pixel_that_is_partly_new_is_new() -> None:
    fit = Fit.make(Size(30, 30), Size(128, 128))
    mask = Image.new("L", (30, 30), 255)
    mask.paste(0, (10, 0, 20, 30))
    shown = np.asarray(fit.enlarge_mask(mask))
    assert set(np.unique(shown)) == {0, 255}
    known = np.flatnonzero(shown[0] == 0)
    assert known.min() >= 10 * 128 / 30
    assert known.max() < 20 * 128 / 30
