"""The copy that the model looks at: its size, its shape, what shows through."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image

from pipelines.geometry import Size
from pipelines.models.vlm.components import Vlm
from pipelines.models.vlm.look import choose_size, take_look
from tests.drawings import draw_coordinates

sides = st.integers(1, 20000)


@given(sides, sides)
def test_a_look_is_neither_long_nor_large_nor_small(width: int, height: int) -> None:
    size = choose_size(Size(width, height), 32)
    assert size.width % 32 == size.height % 32 == 0
    assert 256 <= size.area // 32**2 <= 1280
    assert size.long_side <= 2 * size.short_side


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (Size(1024, 768), Size(1024, 768)),
        (Size(512, 512), Size(512, 512)),
        (Size(8000, 8000), Size(1120, 1120)),
        (Size(10000, 1000), Size(1600, 800)),
        (Size(90, 728), Size(384, 736)),
    ],
)
def test_a_picture_keeps_its_size_where_the_limits_allow_it(size: Size, expected: Size) -> None:
    assert choose_size(size, 32) == expected


def test_a_wide_picture_is_squeezed_whole() -> None:
    look = np.asarray(take_look(draw_coordinates(2000, 200), 32))
    for fraction in (0.1, 0.5, 0.9):
        column, row = round(look.shape[1] * fraction), round(look.shape[0] * fraction)
        red, green, _ = look[row, column]
        assert abs(int(red) / 255 - fraction) < 0.02
        assert abs(int(green) / 255 - fraction) < 0.02


def test_transparency_shows_grey_and_hides_the_colours_below() -> None:
    picture = Image.new("RGBA", (640, 640), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 320, 640))
    look = take_look(picture, 32)
    assert look.mode == "RGB"
    assert look.getpixel((20, 20)) == (0, 0, 255)
    assert look.getpixel((620, 620)) == (128, 128, 128)


def test_the_model_sees_a_look_pixel_for_pixel(vlm: Vlm) -> None:
    look = take_look(draw_coordinates(700, 600), vlm.cell)
    seen = vlm.image_processor(images=[look], return_tensors="np")
    assert seen["image_grid_thw"].tolist() == [[1, look.height // 16, look.width // 16]]
    corner = seen["pixel_values"][0].reshape(3, 2, 16, 16)[:, 0].transpose(1, 2, 0)
    assert np.allclose((corner + 1) * 127.5, np.asarray(look)[:16, :16], atol=0.01)
