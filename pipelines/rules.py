"""What the caller insists on when a plan is made."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pipelines.composition import SubjectKind
from pipelines.errors import InvalidOption
from pipelines.geometry import UNIT, Box, Edge


class Policy(StrEnum):
    """What may happen to the source to reach the target."""

    AUTO = "auto"
    EXPAND = "expand"
    CROP = "crop"


class Anchor(StrEnum):
    """Where the source is held: what is kept when cropping, where it sits when expanding."""

    TOP_LEFT = "top-left"
    TOP = "top"
    TOP_RIGHT = "top-right"
    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM = "bottom"
    BOTTOM_RIGHT = "bottom-right"

    @property
    def position(self) -> tuple[float, float]:
        """(across, down), each 0, 0.5 or 1."""
        across = 0.0 if "left" in self else 1.0 if "right" in self else 0.5
        down = 0.0 if "top" in self else 1.0 if "bottom" in self else 0.5
        return across, down


class Prefer(StrEnum):
    """Where in the frame the subject should be; the opposite side is left for copy.

    ``thirds`` is the nearer of the two vertical lines that divide the frame in three.
    """

    CENTER = "center"
    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"
    THIRDS = "thirds"

    @property
    def at(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """(x, y), each any of these shares of the frame; free where there are none."""
        return {
            Prefer.CENTER: ((0.5,), (0.5,)),
            Prefer.LEFT: ((1 / 3,), ()),
            Prefer.RIGHT: ((2 / 3,), ()),
            Prefer.TOP: ((), (1 / 3,)),
            Prefer.BOTTOM: ((), (2 / 3,)),
            Prefer.THIRDS: ((1 / 3, 2 / 3), ()),
        }[self]


OPPOSITE = {
    Edge.LEFT: Prefer.RIGHT,
    Edge.TOP: Prefer.BOTTOM,
    Edge.RIGHT: Prefer.LEFT,
    Edge.BOTTOM: Prefer.TOP,
}
"""Where the subject should be, so that this side is free."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the caller insists on.

    ``max_crop`` is the largest share of the source that may be lost, 0 to 1. ``protect`` are
    boxes in fractions of the source that stay whole, and ``protect_kinds`` are kinds of subjects
    that do, wherever the describer finds them; ``keep_clear`` are zones in fractions of the output
    where no subject may lie. ``feather`` is the width of the seam in output px, None for 8 px at
    1K and in proportion. ``strict`` refuses instead of giving a rule up.
    """

    policy: Policy = Policy.AUTO
    max_crop: float = 1.0
    protect: tuple[Box, ...] = ()
    keep_clear: tuple[Box, ...] = ()
    anchor: Anchor | None = None
    prefer: Prefer | None = None
    feather: int | None = None
    strict: bool = False
    protect_kinds: frozenset[SubjectKind] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "policy": self.policy.value,
            "max_crop": self.max_crop,
            "protect": [list(box) for box in self.protect],
            "protect_kinds": sorted(kind.value for kind in self.protect_kinds),
            "keep_clear": [list(box) for box in self.keep_clear],
            "anchor": self.anchor.value if self.anchor else None,
            "prefer": self.prefer.value if self.prefer else None,
            "feather": self.feather,
            "strict": self.strict,
        }

    def check(self) -> None:
        """Raise InvalidOption for values out of range."""
        if not 0 <= self.max_crop <= 1:
            msg = f"max_crop is a share from 0 to 1, not {self.max_crop:g}"
            raise InvalidOption(msg)
        if not all(box.area > 0 and box.inside(UNIT) for box in self.protect + self.keep_clear):
            msg = "protected boxes and keep-clear zones are fractions from 0 to 1"
            raise InvalidOption(msg)
        if self.anchor and self.prefer:
            msg = "either an anchor or a preferred place: both decide where things lie"
            raise InvalidOption(msg)
        if self.feather is not None and self.feather < 0:
            msg = f"feather is a width in px, not {self.feather}"
            raise InvalidOption(msg)
