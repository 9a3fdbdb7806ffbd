"""Plans by arithmetic alone: a size instead of a picture, and what was seen in it before."""

from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field, model_validator

from pipelines.composition import Composition
from pipelines.engine import PAINT_PRICES, Mode
from pipelines.errors import InvalidOption
from pipelines.geometry import Size
from pipelines.plan import Plan
from pipelines.planner import fit_plan, make_plan
from pipelines.request import ReframeRequest
from server.api.inputs import SmartResize
from server.api.reception import make_order
from server.jobs.order import AnyTarget

LONGEST_SIDE = 100_000
"""Px of a source."""

MOST_WORK = 30_000
"""Subjects by zones, for all targets together: seconds, while whoever asks waits."""

NOT_SEEN = Composition(
    "none", warnings=("nobody has looked at the picture: no subject is known in it",)
)

Side = Annotated[int, Field(ge=1, le=LONGEST_SIDE)]


class Sketch(SmartResize):
    """The input of a plan that needs no look."""

    source_size: tuple[Side, Side] = Field(description="Instead of a picture: its upright size.")
    composition: dict[str, Any] | None = Field(
        None, description="What was seen in the picture, as an earlier answer has it."
    )

    @model_validator(mode="after")
    def _has_no_picture(self) -> Self:
        if self.sources:
            msg = "give a picture, or its source_size and composition"
            raise ValueError(msg)
        if self.protect_mask:
            msg = "a protect_mask belongs to a picture; give protect instead"
            raise ValueError(msg)
        return self


class Sketched(NamedTuple):
    """Plans, by arithmetic; ``plans`` are in the order of ``targets``."""

    source: Size
    composition: Composition
    mode: Mode
    targets: tuple[AnyTarget, ...]
    plans: list[Plan]


def draw_sketch(asked: Sketch, engine: str) -> Sketched:
    """What a worker with this engine would plan; a plan that is given is reviewed anew.

    Raises:
        RequestError: a composition that is none, or targets and rules that cannot be.
    """
    source = Size(*asked.source_size)
    seen = NOT_SEEN
    if asked.composition is not None:
        seen = Composition.from_fields(asked.composition)
    order = make_order({"seed": 0, **asked.wishes(), "variants": 1}, ["blob:none"])
    price = PAINT_PRICES.get(engine, 1.0)
    requests = order.requests()
    if sum(_work(request, seen) for request in requests) > MOST_WORK:
        msg = "this is too much to answer at once: ask for fewer targets, or with fewer boxes"
        raise InvalidOption(msg)
    plans = [_plan(request, source, seen, price) for request in requests]
    return Sketched(source, seen, asked.mode, order.targets, plans)


def _work(request: ReframeRequest, seen: Composition) -> int:
    rules = request.rules
    return (1 + len(seen.subjects) + len(rules.protect)) * (1 + len(rules.keep_clear))


def _plan(request: ReframeRequest, source: Size, seen: Composition, price: float) -> Plan:
    if request.plan is None:
        return make_plan(source, seen, request.target, request.rules, paint_price=price)
    return fit_plan(request.plan, source, seen, request.rules)
