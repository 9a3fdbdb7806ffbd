"""Which parts of a painting are worth decoding: those with new cells, and some ground around.

Windows are boxes of latent cells. What lies beyond them is known anyway.
"""

import numpy as np
import numpy.typing as npt

from pipelines.geometry import PixelBox
from pipelines.models.sdxl.tiles import Curve, Weights

CONTEXT = 12
"""Cells decoded around the new ones, so that colours and the band along the seam come out right."""

BLEND = 4
"""The outermost of these fade into what is known."""

GRID = 8
"""Sides of windows are multiples of this, cells, so that shapes repeat."""

WORTHWHILE = 0.8
"""Share of the picture's cells up to which windows are preferred to the whole."""

Cells = npt.NDArray[np.bool_]


def choose_windows(new: Cells) -> tuple[PixelBox, ...]:
    """Disjoint windows around the ``new`` cells (h, w), or the whole; none where nothing is new."""
    rows, columns = new.shape
    upright, lying = _cover(new), [_turn(box) for box in _cover(new.T)]
    best = min(upright, lying, key=_count)
    if _count(best) > WORTHWHILE * new.size:
        return (PixelBox(0, 0, columns, rows),)
    return tuple(best)


def fade_into(window: PixelBox, columns: int, rows: int, cell: int) -> Weights:
    """How much of the decoded px counts: 1, but less toward where the picture goes on."""
    return Weights(
        _fade(window.top, window.bottom, rows, cell),
        _fade(window.left, window.right, columns, cell),
    )


def _cover(new: Cells) -> list[PixelBox]:
    """Windows side by side, each over some columns."""
    boxes: list[PixelBox] = []
    for left, right in _span(np.any(new, axis=0)):
        spans = _span(np.any(new[:, left:right], axis=1))
        boxes.append(PixelBox(left, spans[0][0], right, spans[-1][1]))
    return boxes


def _span(new: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of new cells along one axis with their context, on the grid, apart from each other."""
    spans: list[tuple[int, int]] = []
    for place in np.flatnonzero(new):
        first = max(0, int(place) - CONTEXT) // GRID * GRID
        last = min(len(new), -(-(int(place) + 1 + CONTEXT) // GRID) * GRID)
        if spans and first <= spans[-1][1]:
            first = spans.pop()[0]
        spans.append((first, last))
    return spans


def _turn(box: PixelBox) -> PixelBox:
    return PixelBox(box.top, box.left, box.bottom, box.right)


def _count(boxes: list[PixelBox]) -> int:
    return sum(box.size.area for box in boxes)


def _fade(first: int, last: int, length: int, cell: int) -> Curve:
    curve = np.ones((last - first) * cell, np.float32)
    rise = (np.arange(BLEND * cell, dtype=np.float32) + 1) / (BLEND * cell + 1)
    if first > 0:
        curve[: len(rise)] = rise
    if last < length:
        curve[-len(rise) :] = rise[::-1]
    return curve
