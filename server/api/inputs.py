"""What our own models take: everything that the engine can do."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, model_validator

from pipelines.codec.encode import Format
from pipelines.engine import Mode
from pipelines.errors import InvalidOption
from pipelines.fill import Fill
from pipelines.geometry import Size
from pipelines.presets.preset import Preset
from pipelines.presets.preset_file import read_shipped
from pipelines.rules import Anchor, Policy, Prefer
from pipelines.safety import SafetyAction
from pipelines.target import MOST_EXPANSION, Tier
from server.doors.texts import Ratio, SizeText
from server.jobs.order import (
    MOST_OUTPUTS,
    ExpansionTarget,
    Fraction,
    Fractions,
    FrameTarget,
    OrderRules,
    Seed,
    SizeTarget,
)

MOST_SOURCES = 200
MOST_BOXES = 100


def _percent(side: str) -> Any:
    words = f"Percent of the source to add on the {side}."
    return Field(0.0, ge=0, le=MOST_EXPANSION, description=words)


class _Painting(BaseModel):
    """What both of our models share."""

    model_config = ConfigDict(extra="forbid")

    image_url: str | None = Field(
        None, description="URL, data URI or runflow://assets/ID of a picture or a zip of pictures."
    )
    image_urls: list[str] = Field(
        [], max_length=MOST_SOURCES, description="Several pictures, in one job."
    )
    file_input: str = Field("", description="Name of the one picture to take from a zip.")
    fill: Fill = Field(Fill.AUTO, description="What fills the new area.")
    prompt: str = Field("", max_length=4000, description="What the new area should show.")
    mode: Mode = Field(Mode.BALANCED, description="Between speed and quality.")
    seed: Seed | None = Field(None, description="The same seed gives the same picture.")
    variants: int = Field(
        1, ge=1, le=8, description="Outputs a target, each with a seed of its own."
    )
    feather: int | None = Field(None, ge=0, description="Width of the seam, output px.")
    strict: bool = Field(False, description="Refuse rather than give a rule up.")
    output_format: Format = Field(Format.PNG, description="Of the outputs.")
    quality: int | None = Field(None, ge=1, le=100, description="Of JPEG, WebP and AVIF.")
    max_bytes: int | None = Field(None, ge=1, description="Largest output, bytes.")
    nsfw: SafetyAction = Field(SafetyAction.FLAG, description="What happens to unsafe pictures.")
    strictness: int = Field(3, ge=1, le=6, description="Of the NSFW check; 6 is the strictest.")
    store: bool = Field(
        True, description="Keep pictures on disk until they expire; false keeps nothing there."
    )

    @property
    def sources(self) -> list[str]:
        """Where the pictures are."""
        return [*([self.image_url] if self.image_url else []), *self.image_urls]

    def _common(self, rules: OrderRules) -> dict[str, Any]:
        """The fields of an order that both models give."""
        given: dict[str, Any] = {
            "rules": rules,
            "member": self.file_input,
            "fill": self.fill,
            "prompt": self.prompt,
            "mode": self.mode,
            "variants": self.variants,
            "format": self.output_format,
            "quality": self.quality,
            "max_bytes": self.max_bytes,
            "nsfw": self.nsfw,
            "strictness": self.strictness,
            "volatile": not self.store,
        }
        return given if self.seed is None else {**given, "seed": self.seed}


class SmartResize(_Painting):
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
    anchor: Anchor | None = Field(None, description="Where the source is held.")
    prefer: Prefer | None = Field(None, description="Where in the frame the subject should be.")

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
            prefer=self.prefer,
            feather=self.feather,
            strict=self.strict,
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
        return {**self._common(rules), "targets": tuple(targets), "plan": self.plan}

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


class Outpaint(_Painting):
    """``local/outpaint``: percent of the source to add on each side; nothing is scaled."""

    expand_left: float = _percent("left")
    expand_top: float = _percent("top")
    expand_right: float = _percent("right")
    expand_bottom: float = _percent("bottom")
    policy: Literal[Policy.EXPAND] = Policy.EXPAND

    def wishes(self) -> dict[str, Any]:
        """The fields of an order."""
        target = ExpansionTarget(
            left=self.expand_left,
            top=self.expand_top,
            right=self.expand_right,
            bottom=self.expand_bottom,
        )
        rules = OrderRules(policy=Policy.EXPAND, feather=self.feather, strict=self.strict)
        return {**self._common(rules), "targets": (target,)}
