"""What a job is to make, in our own words, whichever door it came through; kept as JSON."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from pipelines.codec.encode import Format
from pipelines.engine import Mode
from pipelines.errors import InvalidOption
from pipelines.export.wishes import Alpha, Export, Metadata
from pipelines.fill import Fill
from pipelines.geometry import AspectRatio, Box, Size
from pipelines.plan import Plan
from pipelines.request import MOST_RETRIES, ReframeRequest
from pipelines.rules import Anchor, Policy, Prefer, Rules
from pipelines.safety import Safety, SafetyAction
from pipelines.target import Expansion, Frame, Target, Tier, fixed_size
from server.jobs.order_fields import Colour, Extras, Fallback, Kinds

MOST_OUTPUTS = 64
"""Targets times variants, for each source."""

Fraction = Annotated[float, Field(ge=0, le=1)]
Fractions = tuple[Fraction, Fraction, Fraction, Fraction]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Task(StrEnum):
    """What is done with the sources: ``plan`` looks and draws plans, and paints nothing."""

    REFRAME = "reframe"
    PLAN = "plan"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Target(_Part):
    def adapt(self, request: ReframeRequest) -> ReframeRequest:
        """``request`` with what this target wants otherwise than the rest of the order."""
        return request


class SizeTarget(_Target):
    """An exact size, px; what else is given goes before the order's own, for this target.

    ``preset`` is the name that it came from.
    """

    kind: Literal["size"] = "size"
    width: int
    height: int
    preset: str | None = None
    format: Format | None = None
    max_bytes: int | None = Field(None, ge=1)
    keep_clear: tuple[Fractions, ...] | None = None

    @property
    def name(self) -> str:
        """For people."""
        return self.preset or f"{self.width}x{self.height}"

    def target(self) -> Target:
        """As the pipeline wants it."""
        return Size(self.width, self.height)

    def adapt(self, request: ReframeRequest) -> ReframeRequest:
        """With this target's format, limit and zones; raises InvalidOption."""
        rules = request.rules
        if self.keep_clear is not None:
            rules = replace(rules, keep_clear=tuple(Box(*box) for box in self.keep_clear))
            rules.check()
        export = replace(
            request.export,
            format=self.format or request.export.format,
            max_bytes=self.max_bytes or request.export.max_bytes,
        )
        return replace(request, rules=rules, export=export)

    @model_serializer(mode="wrap")
    def _leave_out(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Nothing that was not given: so workers of before read all orders but those of presets."""
        written: dict[str, Any] = write(self)
        return {key: value for key, value in written.items() if value is not None}


class FrameTarget(_Target):
    """A ratio like ``16:9`` and the tier that gives its long side."""

    kind: Literal["frame"] = "frame"
    aspect: str
    tier: Tier = Tier.ONE_K

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.aspect} {self.tier}"

    def target(self) -> Target:
        """As the pipeline wants it; raises InvalidOption."""
        return Frame(AspectRatio.parse(self.aspect), self.tier)


class ExpansionTarget(_Target):
    """Percent of the source to add on each side; ``longest`` px bounds the output's long side."""

    kind: Literal["expansion"] = "expansion"
    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    longest: int | None = None

    @property
    def name(self) -> str:
        """For people."""
        return "expansion"

    def target(self) -> Target:
        """As the pipeline wants it."""
        return Expansion(self.left, self.top, self.right, self.bottom, self.longest)


AnyTarget = Annotated[SizeTarget | FrameTarget | ExpansionTarget, Field(discriminator="kind")]


class OrderRules(_Part):
    """``Rules`` as JSON; boxes are left, top, right, bottom in fractions."""

    policy: Policy = Policy.AUTO
    max_crop: Fraction = 1.0
    protect: tuple[Fractions, ...] = ()
    keep_clear: tuple[Fractions, ...] = ()
    anchor: Anchor | None = None
    prefer: Prefer | None = None
    feather: int | None = Field(None, ge=0)
    strict: bool = False
    protect_kinds: Kinds = ()

    def rules(self) -> Rules:
        """As the planner wants them; raises InvalidOption."""
        rules = Rules(
            policy=self.policy,
            max_crop=self.max_crop,
            protect=tuple(Box(*box) for box in self.protect),
            keep_clear=tuple(Box(*box) for box in self.keep_clear),
            anchor=self.anchor,
            prefer=self.prefer,
            feather=self.feather,
            strict=self.strict,
            protect_kinds=frozenset(self.protect_kinds),
        )
        rules.check()
        return rules


class Order(_Part):
    """What is to be made.

    ``sources`` are URLs to fetch, or ``blob:NAME?LABEL`` for what lies in the image store; a zip
    stands for the pictures in it, or for ``member`` alone. Without a ``seed`` one is drawn when the
    job is accepted, and variant n gets seed + n. A ``volatile`` order leaves nothing on a disk.
    ``protect_mask`` is given like a source, and white where each of them must stay whole. In a
    ``series`` the first source's plans are carried out for all.
    """

    sources: tuple[str, ...] = Field(min_length=1)
    targets: tuple[AnyTarget, ...] = Field(min_length=1)
    seed: Seed
    task: Task = Task.REFRAME
    member: str = ""
    rules: OrderRules = OrderRules()
    plan: dict[str, Any] | None = None
    fill: Fill = Fill.AUTO
    prompt: str = Field("", max_length=4000)
    mode: Mode = Mode.BALANCED
    variants: int = Field(1, ge=1, le=8)
    format: Format = Format.PNG
    quality: int | None = Field(None, ge=1, le=100)
    max_bytes: int | None = Field(None, ge=1)
    nsfw: SafetyAction = SafetyAction.FLAG
    strictness: int = Field(3, ge=1, le=6)
    volatile: bool = False
    retries: int = Field(0, ge=0, le=MOST_RETRIES)
    fallback: Fallback | None = None
    protect_mask: str | None = None
    alpha: Alpha = Alpha.KEEP
    background: Colour | None = None
    extras: Extras = ()
    metadata: Metadata = Metadata.COPYRIGHT
    xmp: bool = True
    c2pa: bool | None = None
    series: bool = False

    @property
    def given(self) -> tuple[str, ...]:
        """All that is to be brought: the sources, and after them the mask where there is one."""
        return (*self.sources, self.protect_mask) if self.protect_mask else self.sources

    @model_validator(mode="after")
    def _bound(self) -> Self:
        if len(self.targets) * self.variants > MOST_OUTPUTS:
            msg = f"at most {MOST_OUTPUTS} outputs a source can be made in one job"
            raise ValueError(msg)
        return self

    def requests(self) -> list[ReframeRequest]:
        """One for each target and variant, target by target.

        Raises:
            InvalidOption, InvalidPlan, UnreachableTarget: what no source could make possible.
        """
        given = Plan.from_fields(self.plan) if self.plan is not None else None
        if given and len(self.targets) > 1:
            msg = "a plan is for one target"
            raise InvalidOption(msg)
        rules = self.rules.rules()
        requests = []
        for wanted in self.targets:
            target = given.target if given else wanted.target()
            fixed_size(target)  # refuses what no source could make possible
            made = (self._request(target, rules, given, n) for n in range(self.variants))
            requests += [wanted.adapt(request) for request in made]
        return requests

    def _request(
        self, target: Target, rules: Rules, plan: Plan | None, variant: int
    ) -> ReframeRequest:
        return ReframeRequest(
            target=target,
            rules=rules,
            plan=plan,
            fill=self.fill,
            prompt=self.prompt,
            seed=(self.seed + variant) % 2**32,
            mode=self.mode,
            retries=self.retries,
            fallback=self.fallback,
            export=self._export(),
            safety=Safety(self.nsfw, self.strictness),
        )

    def _export(self) -> Export:
        return Export(
            self.format,
            self.quality,
            self.max_bytes,
            alpha=self.alpha,
            background=self.background,
            extras=frozenset(self.extras),
            metadata=self.metadata,
            xmp=self.xmp,
            c2pa=self.c2pa,
        )
