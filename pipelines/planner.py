"""Decides a plan: expand, crop or both, by cost and by hard rules. Pure arithmetic, no pixels.

Hard rules: must-keep subjects stay whole with a margin; an edge that cuts a subject is not
extended beyond; ``expand`` never crops; ``crop`` never paints; ``max_crop`` bounds the loss; and
where nobody is sure what the subject is, nothing is cut unless all of it surely fits. Where rules
collide the plan says which gave way, or a strict request is refused.
"""

import math
from dataclasses import replace

import numpy as np

from pipelines.composition import Composition, Subject
from pipelines.errors import InvalidOption, UnreachablePlan, UnreachableTarget
from pipelines.geometry import Box, Edge, Size
from pipelines.pixel_grid import settle
from pipelines.placement import (
    Candidates,
    Wanted,
    cost,
    largest_scale,
    lay_grid,
)
from pipelines.plan import Plan
from pipelines.review import describe_plan, find_warnings
from pipelines.rules import Anchor, Policy, Rules
from pipelines.target import Expansion, Target, output_size

SCALES = 13
"""Scales tried between contain and cover."""

FEATHER = 8 / 1024
"""Width of the seam as a share of the output's long side: 8 px at 1K."""

WIDEST = 8
"""The seam is at most the place's short side divided by this."""


def make_plan(
    source: Size,
    composition: Composition,
    target: Target,
    rules: Rules | None = None,
    *,
    paint_price: float = 1.0,
) -> Plan:
    """Find the cheapest placement that keeps every hard rule.

    ``paint_price`` says how dear painting is with the engine at hand: 1 for a generative model,
    more for one that only continues what is there.

    Raises:
        InvalidOption: a rule out of range, or an expansion that must not paint.
        UnreachableTarget: a size or ratio that cannot be made from this source.
        UnreachablePlan: rules collide and ``strict`` is set.
    """
    rules = rules or Rules()
    rules.check()
    frame = output_size(target, source)
    composition = composition.protecting(rules.protect, rules.protect_kinds)
    if isinstance(target, Expansion):
        plan = _expanded(source, frame, target, rules)
    else:
        plan = _searched(source, frame, composition, rules, paint_price)
    plan = blend(replace(plan, rim=_rim(plan, composition, rules)), rules.feather)
    plan = _review(plan, composition, rules)
    return replace(plan, reasons=plan.reasons + describe_plan(plan))


def fit_plan(plan: Plan, source: Size, composition: Composition, rules: Rules) -> Plan:
    """A plan that is given, for this source, and what it does here; its geometry stays.

    Raises:
        InvalidPlan: the source has another ratio than the one that it was made for.
        UnreachablePlan: it breaks a rule and ``strict`` is set.
    """
    composition = composition.protecting(rules.protect, rules.protect_kinds)
    plan = _review(plan.fit(source), composition, rules)
    return replace(plan, reasons=describe_plan(plan))


def blend(plan: Plan, feather: int | None) -> Plan:
    """The plan with the seam that painting needs, after its rim; ``feather`` as in ``Rules``."""
    if not plan.painted or feather == 0:
        return plan
    wished = feather or round(FEATHER * plan.target.long_side)
    return replace(plan, feather=min(plan.rim + wished, plan.place.size.short_side // WIDEST))


def _review(plan: Plan, composition: Composition, rules: Rules) -> Plan:
    plan = replace(plan, warnings=find_warnings(plan, composition, rules))
    if rules.strict and plan.warnings:
        raise UnreachablePlan("; ".join(plan.warnings))
    return plan


def _expanded(source: Size, frame: Size, target: Expansion, rules: Rules) -> Plan:
    crop, place = Box(0, 0, *source), target.place(source)
    reason = "kept whole and unscaled: the caller said how much to add on each side"
    scale = target.scale(source)
    if scale < 1:
        across = _share(target.left, target.right)
        down = _share(target.top, target.bottom)
        crop, place = settle(source, frame, scale, across, down)
        reason = f"kept whole, and scaled so that the output's long side is {target.longest} px"
    if rules.policy is Policy.CROP and place.size != frame:
        msg = "an expansion paints, which policy crop forbids"
        raise InvalidOption(msg)
    return Plan(source, frame, crop, place, policy=rules.policy, reasons=(reason,))


def _share(before: float, after: float) -> float:
    return before / (before + after) if before + after else 0.5


def _searched(
    source: Size, frame: Size, composition: Composition, rules: Rules, price: float
) -> Plan:
    if _contain(source, frame) * source.short_side < 1 and rules.policy is not Policy.CROP:
        msg = f"all of a {source} source would be less than a pixel wide in {frame}"
        raise UnreachableTarget(msg)
    subjects = composition.subjects
    must_keep = _union(subjects)
    scales, reason = _scales(source, frame, subjects, rules)
    grid = lay_grid(source, frame, scales, must_keep)
    grid = _anchored(grid, rules.anchor)
    wanted = Wanted(
        subjects,
        rules.keep_clear,
        composition.cut_edges,
        rules.prefer.at if rules.prefer else ((), ()),
        price,
        _largest(source, frame, subjects),
    )
    scale, across, down = grid.pick(int(np.argmin(cost(grid, source, frame, wanted))))
    crop, place = settle(source, frame, scale, across, down)
    return Plan(source, frame, crop, place, policy=rules.policy, reasons=(reason,))


def _contain(source: Size, frame: Size) -> float:
    return min(frame.width / source.width, frame.height / source.height)


def _cover(source: Size, frame: Size) -> float:
    return max(frame.width / source.width, frame.height / source.height)


def _union(subjects: tuple[Subject, ...]) -> Box | None:
    """The box around all that must be kept."""
    union: Box | None = None
    for subject in subjects:
        if subject.must_keep:
            union = subject.box if union is None else union.union(subject.box)
    return union


def _largest(source: Size, frame: Size, subjects: tuple[Subject, ...]) -> float | None:
    """The scale at which the must-keep boxes just fit; None where they are only guessed."""
    union = _union(subjects)
    return largest_scale(union, source, frame) if union and _trusted(subjects) else None


def _trusted(subjects: tuple[Subject, ...]) -> bool:
    """Whether every must-keep box is tight enough to crop up to it."""
    return all(subject.trusted for subject in subjects if subject.must_keep)


def _scales(
    source: Size, frame: Size, subjects: tuple[Subject, ...], rules: Rules
) -> tuple[list[float], str]:
    """The scales that the rules leave to the search, and why."""
    contain, cover = _contain(source, frame), _cover(source, frame)
    trimmed = max(source.width * cover - frame.width, source.height * cover - frame.height)
    if trimmed <= 1:
        return [cover], "fills the frame: at most an output pixel is trimmed"
    # room for keep-clear zones: the source may also become smaller than the frame
    smaller = [contain * share for share in (0.9, 0.8, 0.7, 0.6, 0.5)] if rules.keep_clear else []
    smaller = [scale for scale in smaller if scale * source.short_side >= 1]
    if rules.policy is Policy.EXPAND:
        return [contain, *smaller], "kept whole: policy expand never crops"
    if rules.policy is Policy.CROP:
        return [cover], "cropped: policy crop never paints"
    union, trusted = _union(subjects), _trusted(subjects)
    limit = _crop_limit(rules.max_crop, (contain, cover))
    fits = largest_scale(union, source, frame) if union else 0.0
    if union and trusted:
        top = min(limit, max(contain, min(cover, fits)))
        between = np.linspace(contain, top, SCALES).tolist()
        return [*smaller, *between], "cropped at most up to the subjects and their margin"
    if min(limit, fits) >= cover:
        return [*smaller, contain, cover], "all that stands out fits the frame with its margin"
    return [*smaller, contain], "kept whole: nothing is cut while the subject is only guessed"


def _crop_limit(max_crop: float, span: tuple[float, float]) -> float:
    """The largest scale that loses at most ``max_crop`` of the source."""
    contain, cover = span
    if max_crop >= 1 - contain / cover:
        return cover
    # between contain and cover one side alone is cropped, so that the loss is 1 - contain / scale
    return max(contain, contain / (1 - max_crop))


def _anchored(grid: Candidates, anchor: Anchor | None) -> Candidates:
    if anchor is None:
        return grid
    across, down = anchor.position
    fixed = np.ones_like(grid.scale)
    return Candidates(grid.scale, across * fixed, down * fixed)


def _rim(plan: Plan, composition: Composition, rules: Rules) -> int:
    """Width of the scan border that the seam starts with, output px; 0 where there is no seam."""
    if not plan.painted or rules.feather == 0:
        return 0
    content = plan.on_output(composition.content)
    rim = {
        Edge.LEFT: content.left - plan.place.left,
        Edge.TOP: content.top - plan.place.top,
        Edge.RIGHT: plan.place.right - content.right,
        Edge.BOTTOM: plan.place.bottom - content.bottom,
    }
    deepest = max(rim[edge] for edge, gap in plan.gaps.items() if gap)
    return min(max(0, math.ceil(deepest - 1e-6)), plan.place.size.short_side // WIDEST // 2)
