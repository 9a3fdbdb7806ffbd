"""What a plan does and which hard rules gave way, in words."""

from pipelines.composition import Composition
from pipelines.geometry import Box, Edge
from pipelines.plan import Plan
from pipelines.rules import Rules

NOTEWORTHY = 0.002
"""A share of the source below this is trimmed for whole pixels, not cropped."""


def find_warnings(plan: Plan, composition: Composition, rules: Rules) -> tuple[str, ...]:
    """Which hard rules gave way, in words."""
    found = []
    kept = Box(
        plan.crop.left / plan.source.width,
        plan.crop.top / plan.source.height,
        plan.crop.right / plan.source.width,
        plan.crop.bottom / plan.source.height,
    )
    # whole-pixel placement may trim one output pixel along one side: nobody calls that cut
    slack = 1.01 / plan.scale / plan.source.short_side
    for subject in composition.subjects:
        if subject.must_keep and not subject.box.inside(kept, slack):
            lost = 1 - subject.box.intersection(kept).area / subject.box.area
            found.append(f"{subject.label} is cut: {lost:.0%} of it is lost")
    if plan.lost_fraction > rules.max_crop + 0.01:
        found.append(f"{plan.lost_fraction:.0%} is cropped, max_crop is {rules.max_crop:.0%}")
    found.extend(
        f"the {edge} edge cuts through a subject and is extended all the same"
        for edge in Edge
        if edge in composition.cut_edges and plan.gaps[edge] > 1
    )
    return (*found, *_hidden(plan, composition, rules))


def _hidden(plan: Plan, composition: Composition, rules: Rules) -> list[str]:
    """Must-keep subjects that lie in a keep-clear zone."""
    found = []
    for subject in composition.subjects:
        spot = plan.on_output(subject.box)
        for zone in rules.keep_clear:
            overlap = spot.intersection(zone.scaled(*plan.target))
            if subject.must_keep and min(overlap.width, overlap.height) > 1:
                share = overlap.area / spot.area
                found.append(f"{share:.0%} of {subject.label} lies in a keep-clear zone")
    return found


def describe_plan(plan: Plan) -> tuple[str, ...]:
    """What the plan does, in words."""
    if plan.noop:
        return ("the target has the source's ratio: a plain resize",)
    words = []
    if plan.lost_fraction > NOTEWORTHY:
        words.append(f"{plan.lost_fraction:.0%} of the source is cropped away")
    if plan.painted:
        sides = ", ".join(f"{edge} {gap} px" for edge, gap in plan.gaps.items() if gap)
        words.append(f"{plan.painted_fraction:.0%} of the output is painted: {sides}")
    return tuple(words)
