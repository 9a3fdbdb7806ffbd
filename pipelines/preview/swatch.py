"""The piece of a photo next to a side from which texture is learned, and how far to trust it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.preview import rim
from pipelines.preview.side import Side

NARROWEST = 0.75
"""Of a block: a strip narrower than this teaches nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Swatch:
    """The last columns of what is known, to be cut into blocks of ``block`` px.

    ``known`` is (rows, width, 3); ``blocked`` (rows, width) must not be copied. ``trust`` is 1
    where the swatch is one material and 0 where it is pieces of many things.
    """

    known: npt.NDArray[np.float32]
    blocked: npt.NDArray[np.bool_]
    block: int
    trust: float

    @property
    def width(self) -> int:
        """Columns, px."""
        return int(self.known.shape[1])


def choose_swatch(side: Side) -> Swatch:
    """Sideways everything up to the subject, up and down the calm band along the border."""
    columns = side.known.shape[1]
    size = min(max(24, side.rows // 12), 64)
    room, blocked, trust = rim.measure_room(side.blocked), side.blocked, 1.0
    if room < NARROWEST * size:
        # what is only likely cannot be avoided here: over a short distance that may pass
        room, blocked, trust = rim.measure_room(side.taken), side.taken, float(not side.is_banner)
    if room < NARROWEST * size:
        room = columns
    block = int(min(size, side.rows, room / 1.5))
    width = max(1.2 * side.depth, 0.4 * columns, 2 * block)
    if not side.is_lateral:
        calm = rim.measure_calm(side.known)
        trust = float(np.clip(2 * calm / size - 0.5, 0, 1))
        block = min(block, max(side.rows // 28, int(0.7 * calm)))
        width = max(calm, 1.5 * block)
    width = int(min(columns, room, width))
    return Swatch(np.ascontiguousarray(side.known[:, -width:]), blocked[:, -width:], block, trust)
