"""What the caller wants to fill: an exact size, a frame, or an expansion.

Whatever the caller asked for becomes one exact output size here, before any pixel is touched.
"""

from dataclasses import dataclass
from enum import StrEnum

from pipelines.errors import InvalidOption, UnreachableTarget
from pipelines.geometry import AspectRatio, PixelBox, Size

WIDEST = 11.0
"""The most extreme ratio of the long to the short side that is made."""

SHORTEST_SIDE = 8
LONGEST_SIDE = 16_383
"""Px; the longest that every output format can hold."""

LARGEST_AREA = 50_000_000
MOST_EXPANSION = 400.0


class Tier(StrEnum):
    """How large the output is: the length of its long side."""

    ONE_K = "1K"
    TWO_K = "2K"
    FOUR_K = "4K"

    @property
    def long_side(self) -> int:
        """1024, 2048 or 4096 px."""
        return {"1K": 1024, "2K": 2048, "4K": 4096}[self.value]


@dataclass(frozen=True, slots=True)
class Frame:
    """A ratio and the length of the long side."""

    aspect: AspectRatio
    tier: Tier = Tier.ONE_K


@dataclass(frozen=True, slots=True)
class Expansion:
    """How much is added on each side, in percent of the source's width or height (0 to 400).

    ``longest`` px bounds the output's long side; beyond it everything is made smaller, alike.
    """

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    longest: int | None = None

    def place(self, source: Size) -> PixelBox:
        """Where the unscaled source lies in the output, output px."""
        left = round(source.width * self.left / 100)
        top = round(source.height * self.top / 100)
        return PixelBox(left, top, left + source.width, top + source.height)

    def unbounded(self, source: Size) -> Size:
        """The output's size where nothing bounds it."""
        place = self.place(source)
        return Size(
            place.right + round(source.width * self.right / 100),
            place.bottom + round(source.height * self.bottom / 100),
        )

    def scale(self, source: Size) -> float:
        """Of the source in the output: 1, or less where ``longest`` bounds it."""
        if self.longest is None:
            return 1.0
        return min(1.0, self.longest / self.unbounded(source).long_side)


Target = Size | Frame | Expansion


def output_size(target: Target, source: Size) -> Size:
    """The exact size of the output in px.

    Raises:
        InvalidOption: an expansion outside 0 to 400 percent.
        UnreachableTarget: a ratio beyond 11:1, a side outside 8 to 16384 px or over 50 MP.
    """
    size = _pixels(target, source)
    if size.short_side < SHORTEST_SIDE or size.long_side > LONGEST_SIDE:
        msg = f"{size}: sides from {SHORTEST_SIDE} to {LONGEST_SIDE} px can be made"
        raise UnreachableTarget(msg)
    ratio = size.long_side / size.short_side
    # an exact size may be off its ratio by rounding: 1024x93 is asked for as 11:1
    if ratio > WIDEST * (1 + 0.5 / size.short_side) and not isinstance(target, Expansion):
        msg = f"{size} is {ratio:.1f}:1; ratios from {WIDEST:g}:1 to 1:{WIDEST:g} can be made"
        raise UnreachableTarget(msg)
    if size.area > LARGEST_AREA:
        limit = LARGEST_AREA / 1e6
        msg = f"{size} is {size.area / 1e6:.1f} MP; up to {limit:g} MP can be made"
        raise UnreachableTarget(msg)
    return size


def fixed_size(target: Target) -> Size | None:
    """The output's size where it depends on no source, else None; raises UnreachableTarget."""
    return None if isinstance(target, Expansion) else output_size(target, Size(1, 1))


def _pixels(target: Target, source: Size) -> Size:
    match target:
        case Size():
            return target
        case Frame():
            return _framed(target)
        case Expansion():
            return _expanded(target, source)


def _framed(frame: Frame) -> Size:
    long, ratio = frame.tier.long_side, frame.aspect.value
    if ratio >= 1:
        return Size(long, round(long / ratio))
    return Size(round(long * ratio), long)


def _expanded(expansion: Expansion, source: Size) -> Size:
    sides = (expansion.left, expansion.top, expansion.right, expansion.bottom)
    if not all(0 <= side <= MOST_EXPANSION for side in sides):
        msg = f"an expansion is 0 to {MOST_EXPANSION:g} percent a side"
        raise InvalidOption(msg)
    whole, scale = expansion.unbounded(source), expansion.scale(source)
    return Size(max(1, round(whole.width * scale)), max(1, round(whole.height * scale)))
