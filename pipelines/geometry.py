"""Sizes, boxes and ratios: pure arithmetic, no pixels.

Origin top left, x to the right, y down, boxes half-open. A coordinate belongs to one of three
frames of reference, *source* (upright, after EXIF), *canvas* (model pixels) or *output*; a
variable that holds one says which.
"""

import math
import re
from enum import StrEnum
from typing import NamedTuple, Self

from pipelines.errors import InvalidOption

MOST_OFF = 0.05
"""How far the ratios of two sizes differ at most where they count as one."""


class Edge(StrEnum):
    """One side of a picture."""

    LEFT = "left"
    TOP = "top"
    RIGHT = "right"
    BOTTOM = "bottom"


class Size(NamedTuple):
    """Width and height in whole pixels."""

    width: int
    height: int

    @property
    def area(self) -> int:
        """Pixels."""
        return self.width * self.height

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def long_side(self) -> int:
        """The larger of both sides, px."""
        return max(self)

    @property
    def short_side(self) -> int:
        """The smaller of both sides, px."""
        return min(self)

    def resembles(self, other: "Size") -> bool:
        """Whether both have one ratio, but for what rounding to whole pixels takes.

        To a few pixels rounding does more than that: their ratio is at most 5 % off.
        """
        pixel = 1 / min(self.short_side, other.short_side)
        return abs(math.log(self.aspect / other.aspect)) <= min(pixel, MOST_OFF)

    def __str__(self) -> str:
        """Written as people write it: 1080x1350."""
        return f"{self.width}x{self.height}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``1080x1350`` (also with ``×`` or ``*``); raises InvalidOption."""
        found = re.fullmatch(r"\s*([0-9]{1,6})\s*[x×X*]\s*([0-9]{1,6})\s*", text)
        if found is None or "0" in (found[1].lstrip("0") or "0", found[2].lstrip("0") or "0"):
            msg = f"a size is written WIDTHxHEIGHT, for example 1080x1350, not {text!r}"
            raise InvalidOption(msg)
        return cls(int(found[1]), int(found[2]))


class Box(NamedTuple):
    """A rectangle with real coordinates: pixels, or fractions of the picture from 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Never negative for a valid box."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Never negative for a valid box."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Zero for an empty or inverted box."""
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def center(self) -> tuple[float, float]:
        """The middle, (x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def scaled(self, x: float, y: float | None = None) -> "Box":
        """Multiply by ``x`` horizontally and ``y`` (the same when omitted) vertically."""
        y = x if y is None else y
        return Box(self.left * x, self.top * y, self.right * x, self.bottom * y)

    def moved(self, x: float, y: float) -> "Box":
        """Shift to the right by ``x`` and down by ``y``."""
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def grown(self, x: float, y: float | None = None) -> "Box":
        """Push every side outward by ``x`` (left, right) and ``y`` (top, bottom)."""
        y = x if y is None else y
        return Box(self.left - x, self.top - y, self.right + x, self.bottom + y)

    def union(self, other: "Box") -> "Box":
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def intersection(self, other: "Box") -> "Box":
        """What both have in common; its area is 0 when they do not meet."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def inside(self, other: "Box", across: float = 1e-6, down: float | None = None) -> bool:
        """Whether no side lies further out than ``other``'s by more than these tolerances."""
        down = across if down is None else down
        return (
            self.left >= other.left - across
            and self.top >= other.top - down
            and self.right <= other.right + across
            and self.bottom <= other.bottom + down
        )

    @classmethod
    def parse_fractions(cls, text: str) -> Self:
        """Read ``left,top,right,bottom`` as fractions 0 to 1; raises InvalidOption."""
        try:
            values = [float(part) for part in text.split(",")]
            box = cls(*values)
        except (ValueError, TypeError):
            values, box = [], cls(0, 0, 0, 0)
        if not (values and box.area > 0 and box.inside(UNIT) and all(map(math.isfinite, values))):
            msg = f"a box is written left,top,right,bottom with fractions 0 to 1, not {text!r}"
            raise InvalidOption(msg)
        return box


UNIT = Box(0, 0, 1, 1)
"""The whole picture in fractions."""


class PixelBox(NamedTuple):
    """A rectangle of whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> Size:
        """Width and height."""
        return Size(self.right - self.left, self.bottom - self.top)

    def gaps(self, outer: Size) -> dict[Edge, int]:
        """Pixels between this box and each side of a frame of ``outer`` size."""
        return {
            Edge.LEFT: self.left,
            Edge.TOP: self.top,
            Edge.RIGHT: outer.width - self.right,
            Edge.BOTTOM: outer.height - self.bottom,
        }


class AspectRatio(NamedTuple):
    """Width to height as the caller wrote it."""

    width: float
    height: float

    @property
    def value(self) -> float:
        """Width over height."""
        return self.width / self.height

    def __str__(self) -> str:
        """Written as people write it: 16:9."""
        return f"{self.width:g}:{self.height:g}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``16:9``, ``16/9``, ``16x9``, ``1.91:1`` or ``1.78``; raises InvalidOption."""
        number = r"([0-9]{1,5}(?:\.[0-9]{1,6})?)"
        found = re.fullmatch(rf"\s*{number}\s*(?:[:/xX×]\s*{number}\s*)?", text)
        width = float(found[1]) if found else 0.0
        height = float(found[2] or 1) if found else 0.0
        if not width or not height:
            msg = f"an aspect ratio is written WIDTH:HEIGHT, for example 16:9, not {text!r}"
            raise InvalidOption(msg)
        return cls(width, height)
