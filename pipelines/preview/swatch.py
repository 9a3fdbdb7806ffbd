"""The piece of a photo next to a side from which texture is learned, and how far to trust it."""

from dataclasses import dataclass

import numpy as np

from pipelines.preview import rim
from pipelines.preview.side import Side


@dataclass(frozen=True, slots=True)
class Swatch:
    """The last ``width`` columns of what is known, to be cut into blocks of ``block`` px.

    ``trust`` is 1 where the swatch is one material and 0 where it is pieces of many things.
    """

    width: int
    block: int
    trust: float


def choose_swatch(side: Side) -> Swatch:
    """Sideways everything up to the subject, up and down the calm band along the border."""
    columns = side.known.shape[1]
    size = min(max(24, side.rows // 12), 64)
    room = rim.measure_room(side.blocked)
    if room < 0.75 * size:
        # too narrow a strip for blocks: rather learn around the subject
        room = columns
    block = int(min(size, side.rows, room / 1.5))
    if side.is_lateral:
        width = max(1.2 * side.depth, 0.4 * columns, 2 * block)
        return Swatch(int(min(columns, room, width)), block, trust=1.0)
    calm = rim.measure_calm(side.known)
    trust = float(np.clip(2 * calm / size - 0.5, 0, 1))
    block = min(block, max(side.rows // 28, int(0.7 * calm)))
    return Swatch(int(min(columns, room, max(calm, 1.5 * block))), block, trust)
