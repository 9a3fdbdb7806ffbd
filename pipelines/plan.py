"""All geometry of a reframing, decided before any pixel is touched, and its JSON.

A plan says which part of the source is kept (``crop``, source px, real numbers), where it goes
(``place``, whole output px) and how wide the seam is: in a band of ``feather`` output px inside
``place`` the source fades in from the painting, beginning after ``rim`` px, where a scan border
or a resampling fringe would show as a line. Everything else follows from these. One scale holds
for both axes: ``crop`` is exactly ``place`` divided by the scale.
"""

import json
import math
from dataclasses import dataclass, replace
from typing import Any, Self

from pipelines.errors import InvalidPlan
from pipelines.geometry import Box, Edge, PixelBox, Size
from pipelines.rules import Policy
from pipelines.target import output_size

CANVAS_AREA = 1024 * 1024
"""The most pixels an outpainter works on at once: SDXL's native area."""

_NO_PLAN = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
"""What reading JSON that is not a plan may raise."""

_SHAPE = "a plan is a JSON object with source, target, crop and place as numbers"

GROWTH = 1.5
"""How much longer a side of the known picture may become in one pass."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the source sits, what is lost and what is painted."""

    source: Size
    target: Size
    crop: Box
    place: PixelBox
    feather: int = 0
    rim: int = 0
    policy: Policy = Policy.AUTO
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def scale(self) -> float:
        """Output px per source px, the same for both axes."""
        return max(
            self.place.size.width / self.crop.width, self.place.size.height / self.crop.height
        )

    @property
    def copied(self) -> bool:
        """Whether every kept pixel is the source's own, not a resampled one."""
        width, height = self.place.size
        whole = all(float(side).is_integer() for side in self.crop)
        return whole and self.crop.width == width and self.crop.height == height

    @property
    def gaps(self) -> dict[Edge, int]:
        """Output px to be painted beyond each side of the kept part."""
        return self.place.gaps(self.target)

    def on_output(self, box: Box) -> Box:
        """From fractions of the source to output px."""
        cropped = box.scaled(*self.source).moved(-self.crop.left, -self.crop.top)
        return cropped.scaled(self.scale).moved(self.place.left, self.place.top)

    @property
    def painted(self) -> tuple[PixelBox, ...]:
        """The regions to be painted, output px, not overlapping."""
        left, top, right, bottom = self.place
        width, height = self.target
        regions = (
            PixelBox(0, top, left, bottom),
            PixelBox(right, top, width, bottom),
            PixelBox(0, 0, width, top),
            PixelBox(0, bottom, width, height),
        )
        return tuple(region for region in regions if region.size.area)

    @property
    def painted_fraction(self) -> float:
        """Share of the output that is painted, 0 to 1."""
        return 1 - self.place.size.area / self.target.area

    @property
    def lost_fraction(self) -> float:
        """Share of the source that is cropped away, 0 to 1."""
        return max(0.0, 1 - self.crop.area / self.source.area)

    @property
    def noop(self) -> bool:
        """Whether the output is the whole source, merely resized."""
        trimmed = (self.source.width - self.crop.width, self.source.height - self.crop.height)
        return not self.painted and max(trimmed) * self.scale <= 1

    @property
    def canvas(self) -> Size:
        """The size to paint at, px: the output's own up to 1 MP, else shrunk to that."""
        shrink = min(1.0, math.sqrt(CANVAS_AREA / self.target.area))
        width, height = self.target
        return Size(max(1, round(width * shrink)), max(1, round(height * shrink)))

    @property
    def passes(self) -> tuple[PixelBox, ...]:
        """Frames to grow through, output px, innermost first; the last is the whole output.

        No side of the known picture grows to more than 1.5 times its length in one pass.
        """
        (width, height), (kept_width, kept_height) = self.target, self.place.size
        growth = max(width / kept_width, height / kept_height)
        count = max(1, math.ceil(math.log(growth, GROWTH) - 1e-9)) if self.painted else 0
        outer = PixelBox(0, 0, width, height)
        return tuple(
            PixelBox(
                *(
                    round(near + (far - near) * _share(growth, step, count))
                    for near, far in zip(self.place, outer, strict=True)
                )
            )
            for step in range(1, count + 1)
        )

    def fit(self, source: Size) -> Self:
        """The same plan for another source of the same ratio, larger or smaller.

        Raises:
            InvalidPlan: the ratio differs by more than whole pixels explain.
        """
        if not source.resembles(self.source):
            msg = f"the plan is for a source of {self.source}; {source} has another ratio"
            raise InvalidPlan(msg)
        across, down = source.width / self.source.width, source.height / self.source.height
        # one factor for both axes: what rounding left of a ratio must not become a distortion
        return replace(self, source=source, crop=self.crop.scaled(min(across, down)))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; what can be derived is given too, for reading."""
        return {
            "source": list(self.source),
            "target": list(self.target),
            "crop": list(self.crop),
            "place": list(self.place),
            "feather": self.feather,
            "rim": self.rim,
            "policy": self.policy.value,
            "scale": self.scale,
            "painted": [list(region) for region in self.painted],
            "painted_fraction": round(self.painted_fraction, 6),
            "lost_fraction": round(self.lost_fraction, 6),
            "noop": self.noop,
            "canvas": list(self.canvas),
            "passes": [list(frame) for frame in self.passes],
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a plan, also an edited one; what can be derived is derived anew.

        Raises:
            InvalidPlan: not a plan, or one that distorts, leaves the source or the output.
            UnreachableTarget: a target that cannot be made.
        """
        try:
            fields = json.loads(text)
        except _NO_PLAN as error:
            raise InvalidPlan(_SHAPE) from error
        return cls.from_fields(fields)

    @classmethod
    def from_fields(cls, fields: Any) -> Self:
        """Read what ``to_json`` gave; raises as ``from_json`` does."""
        try:
            plan = cls(
                source=Size(*_integers(fields["source"], 2)),
                target=Size(*_integers(fields["target"], 2)),
                crop=Box(*_numbers(fields["crop"], 4)),
                place=PixelBox(*_integers(fields["place"], 4)),
                feather=_integers([fields.get("feather", 0)], 1)[0],
                rim=_integers([fields.get("rim", 0)], 1)[0],
                policy=Policy(fields.get("policy", "auto")),
                reasons=tuple(map(str, fields.get("reasons", ()))),
                warnings=tuple(map(str, fields.get("warnings", ()))),
            )
        except _NO_PLAN as error:
            raise InvalidPlan(_SHAPE) from error
        plan.check()
        return plan

    def check(self) -> None:
        """Raise InvalidPlan where the numbers contradict one another, or UnreachableTarget."""
        output_size(self.target, self.source)
        whole = PixelBox(0, 0, *self.target)
        if min(self.source + self.place.size) < 1 or self.crop.area <= 0:
            msg = "source, crop and place must have an area"
            raise InvalidPlan(msg)
        if not Box(*self.crop).inside(Box(0, 0, *self.source)):
            msg = f"crop {_listed(self.crop)} leaves the source of {self.source}"
            raise InvalidPlan(msg)
        if not Box(*self.place).inside(Box(*whole)):
            msg = f"place {_listed(self.place)} leaves the target of {self.target}"
            raise InvalidPlan(msg)
        across = self.place.size.width / self.crop.width
        down = self.place.size.height / self.crop.height
        # a whole-pixel place may be half a pixel off on either side; more is a distortion
        if abs(across / down - 1) > 0.5 / min(self.place.size) + 1e-6:
            msg = f"crop to place scales by {across:.4f} across and {down:.4f} down"
            raise InvalidPlan(msg)
        if not 0 <= self.rim <= self.feather <= min(self.place.size) // 2:
            msg = f"feather {self.feather} is not between rim and half of the place's short side"
            raise InvalidPlan(msg)


def _share(growth: float, step: int, count: int) -> float:
    """How far outward a pass reaches: sides grow geometrically, so that each adds the same."""
    if step == count:
        return 1.0
    return float((growth ** (step / count) - 1) / (growth - 1))


def _numbers(values: Any, count: int) -> list[float]:
    numbers = [float(value) for value in values]
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError
    return numbers


def _integers(values: Any, count: int) -> list[int]:
    numbers = _numbers(values, count)
    if not all(number.is_integer() for number in numbers):
        raise ValueError
    return [int(number) for number in numbers]


def _listed(box: Box | PixelBox) -> str:
    return "[" + ", ".join(f"{value:g}" for value in box) + "]"
