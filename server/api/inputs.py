"""What our own models take: everything that the engine can do."""

from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from pipelines.composition import SubjectKind
from pipelines.errors import InvalidOption
from pipelines.geometry import Edge, Size
from pipelines.presets.preset import Preset
from pipelines.presets.preset_file import read_shipped
from pipelines.rules import OPPOSITE, Anchor, Policy, Prefer
from pipelines.target import MOST_EXPANSION, Tier
from server.api.painting_input import PaintingInput
from server.doors.texts import Ratio, SizeText
from server.jobs.order import (
    MOST_OUTPUTS,
    ExpansionTarget,
    Fraction,
    Fractions,
    FrameTarget,
    OrderRules,
    SizeTarget,
)

MOST_BOXES = 100


def _percent(side: str) -> Any:
    words = f"Percent of the source to add on the {side}."
    return Field(0.0, ge=0, le=MOST_EXPANSION, description=words)


class SmartResize(PaintingInput):
    """``local/smart-resize``: to ratios, exact sizes or a plan of one's own."""

    aspect_ratio: Ratio | None = Field(None, description="Ratio of the output.", examples=["16:9"])
    aspect_ratios: list[Ratio] = Field(
        [], max_length=MOST_OUTPUTS, description="Several ratios, one output each."
    )
    resolution: Tier = Field(Tier.ONE_K, description="Long side of what a ratio gives.")
    target_sizes: list[SizeText] = Field(
        [], max_length=MOST_OUTPUTS, description="Exact sizes.", examples=[["1080x1350"]]
    )
    presets: list[str] = Field(
        [],
        max_length=MOST_OUTPUTS,
        description="Sizes by name, or all of a platform, with their format, byte limit and zones; "
        "see /v1/presets. What is said here for all outputs goes before them.",
        examples=[["meta/story", "iab"]],
    )
    plan: dict[str, Any] | None = Field(None, description="Carry out this plan as it is.")
    policy: Policy = Field(
        Policy.AUTO, description="expand never crops, crop never paints, auto weighs both."
    )
    max_crop: Fraction = Field(1.0, description="Largest share of the source that may be lost.")
    protect: list[Fractions] = Field(
        [],
        max_length=MOST_BOXES,
        description="Boxes left, top, right, bottom in fractions of the source; they stay whole.",
    )
    keep_clear: list[Fractions] = Field(
        [],
        max_length=MOST_BOXES,
        description="Zones in fractions of the output where no subject may lie.",
    )
    protect_kinds: list[SubjectKind] = Field(
        [],
        description="Kinds of subjects that stay whole wherever they are found.",
        examples=[["face", "text", "logo"]],
    )
    protect_mask: str | None = Field(
        None,
        description="URL, data URI or asset of a mask as large as the picture, or of its ratio; "
        "what is white in it stays whole. In a form also a file.",
    )
    anchor: Anchor | None = Field(None, description="Where the source is held.")
    prefer: Prefer | None = Field(None, description="Where in the frame the subject should be.")

    copy_space: Edge | None = Field(
        None, description="The side to leave free for text; the subject goes to the other one."
    )
    series: bool = Field(
        False, description="Carry the first picture's plans out for all; they have one ratio."
    )

    _chosen: tuple[Preset, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _has_target(self) -> Self:
        sizes = self.target_sizes or self.presets
        wanted = bool(self.aspect_ratio or self.aspect_ratios or sizes)
        if wanted == (self.plan is not None):
            msg = "give aspect_ratio, aspect_ratios, target_sizes, presets or, instead, a plan"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if self.copy_space and self.prefer:
            msg = "give copy_space or prefer: both say where the subject should be"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _find_presets(self, info: ValidationInfo) -> Self:
        """Among the server's own, where whoever validates brings them along."""
        catalogue = (info.context or {}).get("presets") or read_shipped()
        try:
            self._chosen = catalogue.select(self.presets)
        except InvalidOption as error:
            raise ValueError(error.detail) from error
        return self

    def wishes(self) -> dict[str, Any]:
        """The fields of an order."""
        rules = OrderRules(
            policy=self.policy,
            max_crop=self.max_crop,
            protect=tuple(self.protect),
            keep_clear=tuple(self.keep_clear),
            anchor=self.anchor,
            prefer=OPPOSITE[self.copy_space] if self.copy_space else self.prefer,
            feather=self.feather,
            strict=self.strict,
            protect_kinds=tuple(self.protect_kinds),
        )
        ratios = [*([self.aspect_ratio] if self.aspect_ratio else []), *self.aspect_ratios]
        targets: list[FrameTarget | SizeTarget] = [
            FrameTarget(aspect=ratio, tier=self.resolution) for ratio in ratios
        ]
        for text in self.target_sizes:
            size = Size.parse(text)
            targets.append(SizeTarget(width=size.width, height=size.height))
        targets += map(self._preset_target, self._chosen)
        if self.plan is not None:
            targets.append(SizeTarget(width=0, height=0))  # the plan knows its own
        return {
            **self.common(rules),
            "targets": tuple(targets),
            "plan": self.plan,
            "protect_mask": self.protect_mask,
            "series": self.series,
        }

    def _preset_target(self, preset: Preset) -> SizeTarget:
        """A preset, but for what the caller said himself."""
        said = self.model_fields_set
        own_limit = "max_bytes" in said and self.max_bytes is not None
        zones = tuple((box.left, box.top, box.right, box.bottom) for box in preset.keep_clear)
        return SizeTarget(
            width=preset.size.width,
            height=preset.size.height,
            preset=preset.id,
            format=None if "output_format" in said else preset.format,
            max_bytes=None if own_limit else preset.max_bytes,
            keep_clear=None if "keep_clear" in said else zones,
        )


class Outpaint(PaintingInput):
    """``local/outpaint``: percent of the source to add on each side; nothing is scaled."""

    expand_left: float = _percent("left")
    expand_top: float = _percent("top")
    expand_right: float = _percent("right")
    expand_bottom: float = _percent("bottom")
    policy: Literal[Policy.EXPAND] = Field(Policy.EXPAND, description="Nothing is ever cropped.")

    def wishes(self) -> dict[str, Any]:
        """The fields of an order."""
        target = ExpansionTarget(
            left=self.expand_left,
            top=self.expand_top,
            right=self.expand_right,
            bottom=self.expand_bottom,
        )
        rules = OrderRules(policy=Policy.EXPAND, feather=self.feather, strict=self.strict)
        return {**self.common(rules), "targets": (target,)}
