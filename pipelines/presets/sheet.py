"""Paper: millimetres, dots per inch and bleed, and the pixels that they come to."""

from dataclasses import dataclass
from typing import Any

from pipelines.errors import InvalidOption
from pipelines.geometry import Box, PixelBox, Size
from pipelines.presets.zones import edge_zones

INCH = 25.4
"""Millimetres."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A printed sheet: ``width`` and ``height`` after trimming, mm.

    ``bleed`` mm are printed beyond each side and cut off; ``margin`` mm inside the cut stay free
    of subjects, for the knife is not exact.
    """

    width: float
    height: float
    dpi: float = 300.0
    bleed: float = 0.0
    margin: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no sheet can be; raises InvalidOption."""
        if min(self.width, self.height, self.dpi) <= 0 or min(self.bleed, self.margin) < 0:
            msg = "a sheet has sides and dpi above 0, and a bleed and margin from 0 on"
            raise InvalidOption(msg)

    @property
    def size(self) -> Size:
        """With its bleed, px."""
        return Size(self._pixels(self.width), self._pixels(self.height))

    @property
    def trim(self) -> PixelBox:
        """What is left after the cut, px of the whole."""
        gap = round(self.bleed / INCH * self.dpi)
        width, height = self.size
        return PixelBox(gap, gap, width - gap, height - gap)

    @property
    def keep_clear(self) -> tuple[Box, ...]:
        """Bleed and margin on all sides, fractions of the whole."""
        depth = self.bleed + self.margin
        across = depth / (self.width + 2 * self.bleed)
        down = depth / (self.height + 2 * self.bleed)
        return edge_zones(across, down, across, down)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "width_mm": self.width,
            "height_mm": self.height,
            "dpi": self.dpi,
            "bleed_mm": self.bleed,
            "margin_mm": self.margin,
            "trim": list(self.trim),
        }

    def _pixels(self, side: float) -> int:
        return round((side + 2 * self.bleed) / INCH * self.dpi)
