"""What a plan does and which hard rules gave way, in words."""

from pipelines.composition import Composition
from pipelines.geometry import Box, Edge
from pipelines.placement import margins
from pipelines.plan import Plan
from pipelines.rules import Rules


def find_warnings(plan: Plan, composition: Composition, rules: Rules) -> tuple[str, ...]:
    """Which hard rules gave way, in words."""
    found = []
    kept = Box(
        plan.crop.left / plan.source.width,
        plan.crop.top / plan.source.height,
        plan.crop.right / plan.source.width,
        plan.crop.bottom / plan.source.height,
    )
    # whole-pixel placement may trim one output pixel along an axis: nobody calls that cut
    across = 1.01 / plan.scale / plan.source.width
    down = 1.01 / plan.scale / plan.source.height
    for subject in composition.subjects:
        if subject.must_keep and not subject.box.inside(kept, across, down):
            lost = 1 - subject.box.intersection(kept).area / subject.box.area
            found.append(f"{subject.label} is cut: {lost:.0%} of it is lost")
    if plan.lost_fraction > rules.max_crop + across + down:
        found.append(f"{plan.lost_fraction:.0%} is cropped, max_crop is {rules.max_crop:.0%}")
    found.extend(
        f"the {edge} edge cuts through a subject and is extended all the same"
        for edge in Edge
        if edge in composition.cut_edges and plan.gaps[edge] > 1
    )
    return (*found, *_crowded(plan, composition), *_hidden(plan, composition, rules))


def _crowded(plan: Plan, composition: Composition) -> list[str]:
    """Trusted must-keep subjects that the crop left without a margin."""
    found: list[str] = []
    trusted = (s for s in composition.subjects if s.must_keep and s.trusted)
    for subject in trusted:
        spot, wanted = plan.on_output(subject.box), margins(subject.box, plan.source, plan.target)
        short = (
            plan.crop.left > 0 and 0 <= spot.left < wanted.left - 1,
            plan.crop.top > 0 and 0 <= spot.top < wanted.top - 1,
            plan.crop.right < plan.source.width
            and 0 <= plan.target.width - spot.right < wanted.right - 1,
            plan.crop.bottom < plan.source.height
            and 0 <= plan.target.height - spot.bottom < wanted.bottom - 1,
        )
        found.extend(
            f"{subject.label} is left without a margin at the {edge} edge"
            for edge, crowded in zip(Edge, short, strict=True)
            if crowded
        )
    return found


def _hidden(plan: Plan, composition: Composition, rules: Rules) -> list[str]:
    """Must-keep subjects that lie in a keep-clear zone."""
    found = []
    for subject in composition.subjects:
        spot = plan.on_output(subject.box)
        for zone in rules.keep_clear:
            overlap = spot.intersection(zone.scaled(*plan.target))
            sure = subject.must_keep and subject.trusted
            if sure and min(overlap.width, overlap.height) > 1:
                share = overlap.area / spot.area
                found.append(f"{share:.0%} of {subject.label} lies in a keep-clear zone")
    return found


def describe_plan(plan: Plan) -> tuple[str, ...]:
    """What the plan does, in words."""
    if plan.noop:
        return ("the target has the source's ratio: a plain resize",)
    words = []
    # an output px along an axis is trimmed for whole-pixel placement: that is no cropping
    if plan.lost_fraction > (1 / plan.source.width + 1 / plan.source.height) / plan.scale:
        words.append(f"{plan.lost_fraction:.0%} of the source is cropped away")
    if plan.painted:
        sides = ", ".join(f"{edge} {gap} px" for edge, gap in plan.gaps.items() if gap)
        words.append(f"{plan.painted_fraction:.0%} of the output is painted: {sides}")
    return tuple(words)
