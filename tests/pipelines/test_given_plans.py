"""Plans that are given: carried out as they are, and looked at for the source at hand."""

from dataclasses import replace

import pytest
from PIL import Image

from pipelines.composition import Composition, Subject
from pipelines.engine import Engine, Painting
from pipelines.errors import UnreachablePlan
from pipelines.fill import fill_edge
from pipelines.geometry import Box, PixelBox, Size
from pipelines.plan import Plan
from pipelines.progress import Progress
from pipelines.reframe import Reframer
from pipelines.reframed import Reframed
from pipelines.request import ReframeRequest
from pipelines.rules import Rules
from tests.drawings import draw_meadow, to_png

OLD = "said of another picture"
PLAN = Plan(
    Size(60, 40),
    Size(80, 80),
    Box(10, 0, 50, 40),
    PixelBox(0, 0, 80, 80),
    reasons=(OLD,),
    warnings=(OLD,),
)
WHOLE, CUT = Box(0.5, 0, 0.8, 1), Box(0, 0, 0.5, 1)


def see_a_ball(picture: Image.Image) -> Composition:
    ball = Subject(Box(0.3, 0.3, 0.7, 0.9), "ball", trusted=True)
    return Composition("eye", subjects=(ball,))


def repeat_border(painting: Painting, progress: Progress) -> Image.Image:
    return fill_edge(painting.canvas)


def reframe(rules: Rules) -> Reframed:
    reframer = Reframer(Engine("test", see_a_ball, repeat_border))
    source = to_png(draw_meadow(120, 80))
    (made,) = reframer(source, [ReframeRequest(PLAN.target, rules, plan=PLAN)])
    return made


@pytest.mark.parametrize(
    ("box", "warnings"), [(WHOLE, ()), (CUT, ("protected area is cut: 33% of it is lost",))]
)
def test_what_is_said_of_a_plan_is_true_of_this_source(box: Box, warnings: tuple[str, ...]) -> None:
    plan = reframe(Rules(protect=(box,))).plan
    assert plan.warnings == warnings
    assert plan.reasons == ("33% of the source is cropped away",)
    as_given = replace(plan, reasons=PLAN.reasons, warnings=PLAN.warnings)
    assert as_given == PLAN.fit(Size(120, 80))


def test_strict_refuses_a_plan_that_cuts_what_is_protected() -> None:
    assert reframe(Rules(protect=(WHOLE,), strict=True)).plan.warnings == ()
    with pytest.raises(UnreachablePlan, match="protected area is cut"):
        reframe(Rules(protect=(CUT,), strict=True))
