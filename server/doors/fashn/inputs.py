"""The body of a run, today's and the one of older clients, as fields of an order."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from pipelines.codec.encode import Format
from pipelines.engine import Mode
from pipelines.geometry import Size
from pipelines.rules import Policy
from server.doors.wire import Wire
from server.jobs.order import ExpansionTarget, OrderRules, Seed, SizeTarget

Ratio = Literal["21:9", "1:1", "4:3", "3:2", "2:3", "5:4", "4:5", "3:4", "16:9", "9:16"]

SIZES: Mapping[str, Size] = MappingProxyType(
    {
        "21:9": Size(1568, 672),
        "1:1": Size(1024, 1024),
        "4:3": Size(1176, 880),
        "3:2": Size(1248, 832),
        "2:3": Size(832, 1248),
        "5:4": Size(1144, 912),
        "4:5": Size(912, 1144),
        "3:4": Size(880, 1176),
        "16:9": Size(1360, 760),
        "9:16": Size(760, 1360),
    }
)
"""Px at 1k, about one megapixel each."""

SCALES: Mapping[str, int] = MappingProxyType({"1k": 1, "2k": 2, "4k": 4})

DIRECTIONS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {"up": {"top": 50.0}, "down": {"bottom": 50.0}, "both": {"top": 25.0, "bottom": 25.0}}
)
"""Percent of the source's height; how much the hosted service adds is not published."""

LONGEST = 1024
"""Px at 1k: whatever is added to a source, it stays within about a megapixel."""


class RunBody(Wire):
    """The body of a run; an empty ``webhook_url`` is none."""

    model_name: Literal["reframe"]
    inputs: dict[str, Any]
    webhook_url: str = Field("", max_length=2000, pattern="^(https?://.+)?$")


class ReframeInputs(Wire):
    """A run's ``inputs``; ``mode`` and what begins with ``target_`` come from older clients."""

    image: str
    aspect_ratio: Ratio | None = None
    resolution: Literal["1k", "2k", "4k"] = "1k"
    generation_mode: Literal["fast", "balanced", "quality"] | None = None
    num_images: int = Field(1, ge=1, le=4)
    seed: Seed = 42
    output_format: Literal["png", "jpeg"] = "png"
    return_base64: bool = False
    mode: Literal["direction", "aspect_ratio"] | None = None
    target_aspect_ratio: Ratio | None = None
    target_direction: Literal["both", "down", "up"] = "both"

    @model_validator(mode="after")
    def _has_target(self) -> Self:
        directed = self.mode == "direction" or "target_direction" in self.model_fields_set
        if self.ratio is None and (self.mode == "aspect_ratio" or not directed):
            msg = f"aspect_ratio is needed, one of {', '.join(get_args(Ratio))}"
            raise ValueError(msg)
        return self

    @property
    def ratio(self) -> str | None:
        """The ratio that is wanted; None where the picture is to grow in a direction."""
        if self.aspect_ratio or self.mode == "direction":
            return self.aspect_ratio
        return self.target_aspect_ratio

    @property
    def metadata(self) -> dict[str, Any]:
        """What ``render_prediction`` needs to know later."""
        return {"aspect_ratio": self.ratio}

    def wishes(self) -> dict[str, Any]:
        """The fields of an order."""
        target = self._size() or self._expansion()
        policy = Policy.AUTO if isinstance(target, SizeTarget) else Policy.EXPAND
        auto = Mode.FAST if self.resolution == "1k" else Mode.QUALITY
        return {
            "targets": (target,),
            "rules": OrderRules(policy=policy),
            "mode": Mode(self.generation_mode or auto),
            "variants": self.num_images,
            "seed": self.seed,
            "format": Format(self.output_format),
            "volatile": self.return_base64,
        }

    def _size(self) -> SizeTarget | None:
        if self.ratio is None:
            return None
        (width, height), scale = SIZES[self.ratio], SCALES[self.resolution]
        return SizeTarget(width=width * scale, height=height * scale)

    def _expansion(self) -> ExpansionTarget:
        longest = LONGEST * SCALES[self.resolution]
        return ExpansionTarget(**DIRECTIONS[self.target_direction], longest=longest)
