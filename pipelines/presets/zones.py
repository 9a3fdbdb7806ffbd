"""The strips along a picture's edges where no subject may lie."""

from collections.abc import Sequence

from pipelines.errors import InvalidOption
from pipelines.geometry import Box


def edge_zones(
    left: float = 0.0, top: float = 0.0, right: float = 0.0, bottom: float = 0.0
) -> tuple[Box, ...]:
    """Strips so deep along each edge, in fractions of the picture; none of them overlap.

    Raises:
        InvalidOption: a depth below 0, or strips that leave nothing between them.
    """
    if min(left, top, right, bottom) < 0 or left + right >= 1 or top + bottom >= 1:
        msg = "keep-clear edges are fractions from 0 on and leave something between them"
        raise InvalidOption(msg)
    strips = (
        Box(0, 0, 1, top),
        Box(0, 1 - bottom, 1, 1),
        Box(0, top, left, 1 - bottom),
        Box(1 - right, top, 1, 1 - bottom),
    )
    return tuple(strip for strip in strips if strip.area > 0)


def describe_zones(zones: Sequence[Box]) -> str:
    """``top 14%, left 6%`` for strips along the edges, the corners of a box for any other."""
    wide = [zone for zone in zones if zone.left <= 0 and zone.right >= 1]
    top = max((zone.bottom for zone in wide if zone.top <= 0), default=0.0)
    bottom = min((zone.top for zone in wide if zone.bottom >= 1), default=1.0)
    return ", ".join(_describe(zone, top, bottom) for zone in zones)


def _describe(zone: Box, top: float, bottom: float) -> str:
    """One zone, between strips that end at ``top`` and begin at ``bottom``."""
    across = zone.left <= 0 and zone.right >= 1
    down = zone.top <= top and zone.bottom >= bottom
    if across and zone.top <= 0:
        return f"top {100 * zone.bottom:.3g}%"
    if across and zone.bottom >= 1:
        return f"bottom {100 * (1 - zone.top):.3g}%"
    if down and zone.left <= 0:
        return f"left {100 * zone.right:.3g}%"
    if down and zone.right >= 1:
        return f"right {100 * (1 - zone.left):.3g}%"
    return ",".join(f"{side:.4g}" for side in zone)
