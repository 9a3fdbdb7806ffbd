"""A scan border is found, and nothing else is taken for one."""

import numpy as np
import pytest
from PIL import Image

from pipelines.geometry import UNIT
from pipelines.preview.scan_border import find_content
from tests.drawings import draw_meadow, draw_object_on_white


def draw_noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.uniform(60, 200, (height, width, 3)).astype(np.uint8))


@pytest.mark.parametrize("side", range(4))
def test_a_dark_line_along_one_side_is_no_content(side: int) -> None:
    picture = draw_noise(640, 512)
    lines = [(0, 0, 5, 512), (0, 0, 640, 5), (635, 0, 640, 512), (0, 507, 640, 512)]
    picture.paste((12, 12, 12), lines[side])
    content = find_content(picture).scaled(640, 512)
    trimmed = [content.left, content.top, 640 - content.right, 512 - content.bottom]
    assert 5 <= round(trimmed[side]) <= 8
    assert sum(map(round, trimmed)) == round(trimmed[side])


@pytest.mark.parametrize(
    "picture",
    [draw_noise(640, 512), draw_meadow(600, 400), draw_object_on_white(600, 400)],
    ids=["noise", "meadow", "object on white"],
)
def test_a_photo_without_a_border_is_all_content(picture: Image.Image) -> None:
    assert find_content(picture) == UNIT


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (64, 64)])
def test_small_pictures_are_all_content(size: tuple[int, int]) -> None:
    assert find_content(draw_noise(*size)) == UNIT


def test_a_margin_around_a_logo_is_content() -> None:
    logo = Image.new("RGB", (512, 200), "white")
    logo.paste((200, 30, 30), (0, 80, 508, 120))
    assert find_content(logo) == UNIT
