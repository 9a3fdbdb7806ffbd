"""The presets that the hosted model works with: they name a target's ratio and resolution."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pipelines.errors import UnreachableTarget
from pipelines.geometry import Size
from pipelines.target import Tier

SIZES: Mapping[str, Size] = MappingProxyType(
    {
        "21:9": Size(1584, 672),
        "16:9": Size(1376, 768),
        "3:2": Size(1232, 816),
        "4:3": Size(1200, 896),
        "5:4": Size(1136, 896),
        "1:1": Size(1024, 1024),
        "4:5": Size(896, 1136),
        "3:4": Size(896, 1200),
        "2:3": Size(816, 1232),
        "9:16": Size(768, 1376),
    }
)
"""Px at 1K, as a vendor lists them; the service itself publishes none."""

SCALES: Mapping[Tier, int] = MappingProxyType({Tier.ONE_K: 1, Tier.TWO_K: 2, Tier.FOUR_K: 4})


class Preset(NamedTuple):
    """What the hosted service would have made before it cut the target out of it."""

    aspect_ratio: str
    resolution: Tier


def find_preset(target: Size, least: Tier = Tier.ONE_K) -> Preset:
    """The smallest tier from ``least`` on that covers the target, and there the nearest ratio.

    Raises:
        UnreachableTarget: no preset is large enough.
    """
    for tier, scale in SCALES.items():
        if scale < SCALES[least]:
            continue
        covering = [name for name, size in SIZES.items() if _covers(size, scale, target)]
        if covering:
            return Preset(min(covering, key=lambda name: _distance(SIZES[name], target)), tier)
    msg = f"{target} is larger than every preset; at 4K the widest is 6336x2688, the square 4096"
    raise UnreachableTarget(msg)


def _covers(size: Size, scale: int, target: Size) -> bool:
    return size.width * scale >= target.width and size.height * scale >= target.height


def _distance(size: Size, target: Size) -> float:
    return abs(math.log(size.aspect / target.aspect))
