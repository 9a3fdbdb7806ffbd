"""Plausible colours for the new area, before any model has seen it."""

import numpy as np
from PIL import Image, ImageFilter

from pipelines.canvas import Canvas
from pipelines.fill import fill_edge
from pipelines.geometry import Edge

COARSE = 8
"""The blur is made on a copy this many times smaller."""

REACH = 0.08
"""Share of the canvas's short side within which lines running off the border dissolve."""


def fill_blurred(canvas: Canvas) -> Image.Image:
    """The border repeated outward, the more blurred the farther away; the place is untouched."""
    edge = fill_edge(canvas)
    small = edge.resize([max(1, side // COARSE) for side in canvas.size], Image.Resampling.BOX)
    reach = max(1.0, REACH * canvas.size.short_side)
    soft = small.filter(ImageFilter.GaussianBlur(reach / COARSE))
    soft = soft.resize(canvas.size, Image.Resampling.BICUBIC)
    return Image.composite(soft, edge, _measure_distance(canvas, reach))


def _measure_distance(canvas: Canvas, reach: float) -> Image.Image:
    """0 on the place, rising to 255 at ``reach`` px from it, mode L."""
    gaps = canvas.place.gaps(canvas.size)
    across = _run_out(gaps[Edge.LEFT], canvas.place.size.width, gaps[Edge.RIGHT])
    down = _run_out(gaps[Edge.TOP], canvas.place.size.height, gaps[Edge.BOTTOM])
    distance = np.hypot(across[None, :], down[:, None]) / np.float32(reach)
    return Image.fromarray((np.minimum(distance, 1) * 255).astype(np.uint8))


def _run_out(
    before: int, within: int, after: int
) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    ends = [np.arange(before, 0, -1), np.zeros(within), np.arange(1, after + 1)]
    return np.concatenate(ends).astype(np.float32)
