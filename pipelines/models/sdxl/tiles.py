"""Equal, overlapping tiles that cover a picture, and the weights that make it whole again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from pipelines.geometry import PixelBox, Size
from pipelines.models.sdxl.buckets import GRID, WIDEST

Curve = npt.NDArray[np.float32]
"""One number per px along an axis."""


class Weights(NamedTuple):
    """How much a tile counts at each of its px: the product of both, above 0 and at most 1."""

    down: Curve
    across: Curve


@dataclass(frozen=True, slots=True)
class Tiling:
    """Where tiles of one ``size`` lie, px: the first and the last ones end with the picture.

    Tiles are moved closer together rather than cut off, so that all of them have one shape.
    """

    size: Size
    lefts: tuple[int, ...]
    tops: tuple[int, ...]

    @classmethod
    def cover(cls, picture: Size, side: int, overlap: int, grid: int) -> Self:
        """As few squares of ``side`` px as overlap by ``overlap`` px or more.

        Where the picture is narrower than a tile, the tiles are as narrow. Everything given is a
        multiple of ``grid`` px, and so is everything returned.
        """
        assert not any(length % grid for length in (*picture, side, overlap))
        assert 0 <= overlap < side
        size = Size(min(side, picture.width), min(side, picture.height))
        return cls(
            size,
            _place(picture.width, size.width, overlap, grid),
            _place(picture.height, size.height, overlap, grid),
        )

    @classmethod
    def share_out(cls, picture: Size, native: int, overlap: int, cell: int) -> Self:
        """The equal tiles of at most ``native`` px squared that cover least px twice.

        They need not be squares, but are as little oblong as what models were trained at, where
        the picture lets them. They lie on whole cells, and their sides are multiples of 64 px.
        """
        shapes = [
            Size(_reach(picture.width, columns, overlap), height)
            for columns in _counts(picture.width, native)
            for height in (
                _reach(picture.height, rows, overlap) for rows in _counts(picture.height, native)
            )
        ]
        fitting = [size for size in shapes if size.area <= native**2]
        tilings = [
            cls(
                size,
                _place(picture.width, size.width, overlap, cell),
                _place(picture.height, size.height, overlap, cell),
            )
            for size in fitting
        ]
        return min(tilings, key=lambda tiling: (tiling.is_oblong, tiling.area, len(tiling.boxes)))

    @property
    def is_oblong(self) -> bool:
        """Whether a tile is longer than any that models were trained at."""
        return self.size.long_side > WIDEST * self.size.short_side

    @property
    def area(self) -> int:
        """Of all tiles together, px."""
        return self.size.area * len(self.lefts) * len(self.tops)

    @property
    def boxes(self) -> list[PixelBox]:
        """The tiles, row by row."""
        width, height = self.size
        return [
            PixelBox(left, top, left + width, top + height)
            for top in self.tops
            for left in self.lefts
        ]

    @property
    def weights(self) -> list[Weights]:
        """In the order of ``boxes``; at every px of the picture they add up to 1.

        Where tiles overlap they fade into one another.
        """
        rows = _fade(self.tops, self.size.height)
        columns = _fade(self.lefts, self.size.width)
        return [Weights(row, column) for row in rows for column in columns]


def _counts(length: int, native: int) -> range:
    """How many tiles may stand in a row: one, up to those of half the native side."""
    return range(1, max(1, math.ceil(4 * length / native)) + 1)


def _reach(length: int, count: int, overlap: int) -> int:
    """The side of ``count`` tiles that cover ``length``, px."""
    return math.ceil((length + (count - 1) * overlap) / count / GRID) * GRID


def _place(length: int, side: int, overlap: int, grid: int) -> tuple[int, ...]:
    """Where the tiles begin along one axis."""
    spare = (length - side) // grid
    gaps = math.ceil(spare * grid / (side - overlap)) if spare else 0
    return tuple(grid * (spare * number // max(1, gaps)) for number in range(gaps + 1))


def _fade(starts: Sequence[int], side: int) -> list[Curve]:
    """The weights along one axis: half a wave up, half a wave down, and 1 between."""
    total = np.zeros(starts[-1] + side, np.float32)
    curves = [np.ones(side, np.float32) for _ in starts]
    for number, start in enumerate(starts):
        if number:
            shared = starts[number - 1] + side - start
            curves[number][:shared] *= _rise(shared)
            curves[number - 1][side - shared :] *= _rise(shared)[::-1]
    for start, curve in zip(starts, curves, strict=True):
        total[start : start + side] += curve
    # where three tiles meet, the waves alone do not add up
    return [
        curve / total[start : start + side] for start, curve in zip(starts, curves, strict=True)
    ]


def _rise(length: int) -> Curve:
    steps = (np.arange(length) + 0.5) / max(1, length)
    return np.asarray(np.sin(steps * np.pi / 2) ** 2, np.float32)
