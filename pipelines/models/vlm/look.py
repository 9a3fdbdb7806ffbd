"""The copy of a picture that the model looks at.

Boxes drift on very wide and very tall pictures, and beyond about 3:1 the model answers with
something else altogether; so the copy is never longer than 2:1. It is squeezed for that, which
costs nothing: boxes are told per side and so map back by themselves.
"""

import math

from PIL import Image

from pipelines.geometry import Size

LEAST_TOKENS, MOST_TOKENS = 256, 1280
"""Visual tokens of a look: fewer hide small things, more cost time and add little."""

LONGEST = 2.0
"""The copy's long side to its short one, at most."""

GROUND = (128, 128, 128)
"""What shows through where a picture is transparent."""


def take_look(picture: Image.Image, cell: int) -> Image.Image:
    """An RGB copy whose sides are whole numbers of ``cell`` px, one for each visual token."""
    size = choose_size(Size(*picture.size), cell)
    small = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    if small.mode != "RGBA":
        return small.convert("RGB")
    ground = Image.new("RGBA", size, (*GROUND, 255))
    return Image.alpha_composite(ground, small).convert("RGB")


def choose_size(size: Size, cell: int) -> Size:
    """About as many pixels as the picture has, within the limits of tokens and shape."""
    tokens = min(max(size.area / cell**2, LEAST_TOKENS), MOST_TOKENS)
    shape = min(max(size.width / size.height, 1 / LONGEST), LONGEST)
    across, down = math.sqrt(tokens * shape), math.sqrt(tokens / shape)
    # one of three ways to round keeps the limits that the exact numbers keep
    grids = (_shorten(turn(across), turn(down)) for turn in (round, math.floor, math.ceil))
    columns, rows = next(grid for grid in grids if LEAST_TOKENS <= grid.area <= MOST_TOKENS)
    return Size(columns * cell, rows * cell)


def _shorten(columns: int, rows: int) -> Size:
    """Rounding may have made it longer again."""
    columns = max(columns, math.ceil(rows / LONGEST))
    return Size(columns, max(rows, math.ceil(columns / LONGEST)))
