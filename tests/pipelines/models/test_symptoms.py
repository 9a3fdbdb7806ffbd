"""What broken models paint is told from what could be there, on drawings and on real photos."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from benchmarks.symptoms import find_symptoms
from pipelines.geometry import Box, PixelBox
from tests.drawings import draw_meadow, draw_object_on_white
from tests.house.house import ROOT

PHOTOS = sorted(path for path in (ROOT / "docs/photos").iterdir() if path.suffix != ".md")

WINDOWS = (Box(0.3, 0, 0.7, 1), Box(0, 0, 0.5, 1), Box(0, 0.5, 1, 1), Box(0.1, 0.1, 0.9, 0.9))
"""What counts as kept of a photo; the rest of it is as good a continuation as there can be."""

Levels = npt.NDArray[np.float32]


def open_photo(path: Path) -> Image.Image:
    with Image.open(path) as file:
        photo = file.convert("RGB")
    photo.thumbnail((640, 640))
    return photo


def find(photo: Image.Image, window: Box, paint: Callable[[Levels], Levels]) -> list[str]:
    """With ``paint``, levels to levels, outside the window."""
    place = PixelBox(*(round(side) for side in window.scaled(*photo.size)))
    painted = np.clip(paint(np.asarray(photo, np.float32)), 0, 255).astype(np.uint8)
    output = Image.fromarray(painted)
    output.paste(photo.crop(place), place[:2])
    return list(find_symptoms(output, place))


def leave(levels: Levels) -> Levels:
    return levels


def colour_of(red: int, green: int, blue: int) -> Callable[[Levels], Levels]:
    return lambda levels: np.full_like(levels, (red, green, blue))


def draw_noise(levels: Levels, channels: int = 3, side: int = 8) -> Levels:
    """Soft blobs of ``side`` px, as a decoder makes of latents without meaning."""
    height, width = levels.shape[:2]
    noise = np.random.default_rng(5).normal(size=(height // side, width // side, channels))
    large = cv2.resize(noise.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large.reshape(height, width, channels), np.float32)


def rainbow(levels: Levels) -> Levels:
    """Around the colours that are right: no seam shows."""
    return np.asarray(cv2.GaussianBlur(levels, (0, 0), 15) + 45 * draw_noise(levels), np.float32)


def grey_noise(levels: Levels) -> Levels:
    return cv2.GaussianBlur(levels, (0, 0), 15) + 120 * draw_noise(levels, 1, 4)


def saturate(levels: Levels) -> Levels:
    return np.asarray(np.where(draw_noise(levels, side=32) > 0, 255, 0), np.float32)


def tint(levels: Levels) -> Levels:
    return np.asarray(levels * (1.5, 0.7, 1.4), np.float32)


def blur(levels: Levels) -> Levels:
    """As the preview engine does where nothing can be continued."""
    return np.asarray(cv2.GaussianBlur(levels, (0, 0), 6), np.float32)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: str(path.stem))
@pytest.mark.parametrize("paint", [leave, blur])
def test_what_could_be_there_is_not_complained_of(
    path: Path, window: Box, paint: Callable[[Levels], Levels]
) -> None:
    assert find(open_photo(path), window, paint) == []


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: str(path.stem))
@pytest.mark.parametrize(
    ("paint", "symptom"),
    [
        (rainbow, "coloured noise"),
        (grey_noise, "in lightness"),
        (colour_of(127, 127, 127), "nothing in it"),
        (colour_of(255, 0, 255), "nothing in it"),
        (saturate, "saturated"),
        (tint, "cast"),
    ],
)
def test_what_broken_models_paint_is_told(
    path: Path, window: Box, paint: Callable[[Levels], Levels], symptom: str
) -> None:
    assert any(symptom in found for found in find(open_photo(path), window, paint))


def test_a_border_with_detail_does_not_end_in_nothing() -> None:
    """Though the colours are right: what is of one colour everywhere is bent to meet them."""
    meadow = draw_meadow(320, 160).crop((0, 100, 320, 160))
    found = find(meadow, WINDOWS[0], lambda levels: 0 * levels + levels.mean(axis=(0, 1)))
    assert found == ["nothing in it on any side, though the source's border is rough"]


def test_an_even_ground_goes_on_evenly() -> None:
    studio = draw_object_on_white(320, 200)
    assert find(studio, WINDOWS[0], leave) == []


def test_a_source_that_is_noise_may_go_on_as_such() -> None:
    noise = Image.fromarray(
        np.uint8(np.clip(128 + 45 * draw_noise(np.zeros((320, 480, 3), np.float32)), 0, 255))
    )
    assert find(noise, WINDOWS[0], leave) == []


def test_a_side_that_is_hardly_there_is_not_judged() -> None:
    assert find(draw_meadow(320, 200), Box(0.03, 0, 1, 1), colour_of(255, 0, 255)) == []
    assert find(draw_meadow(320, 200), Box(0.05, 0, 1, 1), colour_of(255, 0, 255)) != []


def test_where_hardly_anything_was_kept_nothing_is_said() -> None:
    meadow = draw_meadow(320, 200)
    assert find(meadow, Box(0.5, 0, 0.53, 1), colour_of(255, 0, 255)) == []
    assert find(meadow, Box(0.4, 0, 0.6, 1), colour_of(255, 0, 255)) != []
