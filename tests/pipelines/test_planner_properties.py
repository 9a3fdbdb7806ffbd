"""What every plan promises, for any source, any target and any subjects."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from pipelines.composition import Composition, Subject, SubjectKind
from pipelines.errors import UnreachablePlan, UnreachableTarget
from pipelines.geometry import AspectRatio, Box, Edge, Size
from pipelines.plan import Plan
from pipelines.planner import make_plan
from pipelines.rules import Anchor, Policy, Prefer, Rules
from pipelines.target import Frame, Target

coordinates = st.floats(0, 1).map(lambda value: round(value, 3))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    left, right = sorted((draw(coordinates), draw(coordinates)))
    top, bottom = sorted((draw(coordinates), draw(coordinates)))
    return Box(left, top, min(1, right + 0.01), min(1, bottom + 0.01)).intersection(Box(0, 0, 1, 1))


subjects = st.builds(
    Subject,
    box=boxes().filter(lambda box: box.area > 0),
    label=st.just("thing"),
    kind=st.sampled_from(SubjectKind),
    weight=st.floats(0, 1),
    must_keep=st.booleans(),
    trusted=st.booleans(),
)
compositions = st.builds(
    Composition,
    describer=st.just("test"),
    subjects=st.lists(subjects, max_size=4).map(tuple),
    cut_edges=st.frozensets(st.sampled_from(Edge)),
    content=st.sampled_from([Box(0, 0, 1, 1), Box(0.01, 0, 0.99, 0.98)]),
)
sources = st.builds(Size, st.integers(16, 6000), st.integers(16, 6000))
ratios = st.floats(1 / 11, 11).map(lambda value: AspectRatio(value, 1))
targets: st.SearchStrategy[Target] = st.one_of(
    ratios.map(Frame),
    st.builds(Size, st.integers(90, 990), st.integers(90, 990)),
)
rule_sets = st.builds(
    Rules,
    policy=st.sampled_from(Policy),
    max_crop=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    protect=st.lists(boxes().filter(lambda box: box.area > 0), max_size=2).map(tuple),
    keep_clear=st.lists(boxes().filter(lambda box: box.area > 0), max_size=1).map(tuple),
    anchor=st.none() | st.sampled_from(Anchor),
    prefer=st.none() | st.sampled_from(Prefer),
    protect_kinds=st.frozensets(st.sampled_from(SubjectKind)),
).filter(lambda rules: not (rules.anchor and rules.prefer))


def plan_or_none(
    source: Size, composition: Composition, target: Target, rules: Rules
) -> Plan | None:
    try:
        return make_plan(source, composition, target, rules)
    except UnreachableTarget:
        return None  # less than a pixel of the source would be left


@settings(max_examples=300, deadline=None)
@given(sources, compositions, targets, rule_sets)
def test_every_plan_is_sound(
    source: Size, composition: Composition, target: Target, rules: Rules
) -> None:
    plan = plan_or_none(source, composition, target, rules)
    if plan is None:
        return
    plan.check()  # inside source and output, one scale for both axes
    across = plan.place.size.width / plan.crop.width
    down = plan.place.size.height / plan.crop.height
    assert across == pytest.approx(down, rel=1e-6)
    painted = sum(region.size.area for region in plan.painted)
    assert painted + plan.place.size.area == plan.target.area


@settings(max_examples=200, deadline=None)
@given(sources, compositions, targets, rule_sets)
def test_expand_never_crops_and_crop_never_paints(
    source: Size, composition: Composition, target: Target, rules: Rules
) -> None:
    plan = plan_or_none(source, composition, target, rules)
    if plan is None:
        return
    if rules.policy is Policy.EXPAND:
        # whole-pixel placement may trim up to one output pixel along one axis
        assert (source.width - plan.crop.width) * plan.scale <= 1.001
        assert (source.height - plan.crop.height) * plan.scale <= 1.001
    if rules.policy is Policy.CROP:
        assert plan.painted_fraction == 0


@settings(max_examples=200, deadline=None)
@given(sources, compositions, targets, rule_sets)
def test_a_must_keep_box_is_whole_or_there_is_a_warning(
    source: Size, composition: Composition, target: Target, rules: Rules
) -> None:
    plan = plan_or_none(source, composition, target, rules)
    if plan is None or plan.warnings:
        return
    seen = composition.protecting(rules.protect, rules.protect_kinds)
    assert_kept(plan, [subject for subject in seen.subjects if subject.must_keep])


@settings(max_examples=200, deadline=None)
@given(sources, compositions, targets, rule_sets)
def test_what_is_of_a_protected_kind_is_whole_and_uncovered_or_there_is_a_warning(
    source: Size, composition: Composition, target: Target, rules: Rules
) -> None:
    plan = plan_or_none(source, composition, target, rules)
    if plan is None or plan.warnings:
        return
    found = [seen for seen in composition.subjects if seen.kind in rules.protect_kinds]
    assert_kept(plan, found)
    assert_uncovered(plan, found, rules)


@settings(max_examples=200, deadline=None)
@given(sources, compositions, targets, rule_sets)
def test_a_strict_plan_keeps_what_is_protected_or_there_is_none(
    source: Size, composition: Composition, target: Target, rules: Rules
) -> None:
    loose = plan_or_none(source, composition, target, rules)
    if loose is None:
        return
    strict = replace(rules, strict=True)
    if loose.warnings:
        with pytest.raises(UnreachablePlan):
            make_plan(source, composition, target, strict)
        return
    plan = make_plan(source, composition, target, strict)
    found = [seen for seen in composition.subjects if seen.kind in rules.protect_kinds]
    named = [Subject(box, "protected area") for box in rules.protect]
    assert_kept(plan, found + named)
    assert_uncovered(plan, found + named, rules)


def assert_kept(plan: Plan, subjects: list[Subject]) -> None:
    """Nothing of them is cut."""
    kept = plan.crop.scaled(1 / plan.source.width, 1 / plan.source.height)
    # one output px along each axis, for whole-pixel placement
    slack = (1.02 / plan.scale / plan.source.width, 1.02 / plan.scale / plan.source.height)
    for subject in subjects:
        assert subject.box.inside(kept, *slack)


def assert_uncovered(plan: Plan, subjects: list[Subject], rules: Rules) -> None:
    """None of them reaches into a keep-clear zone, but for the pixel of whole-pixel placement."""
    for subject in subjects:
        for zone in rules.keep_clear:
            hidden = plan.on_output(subject.box).intersection(zone.scaled(*plan.target))
            assert min(hidden.width, hidden.height) <= 1


@settings(max_examples=200, deadline=None)
@given(sources, compositions, targets, st.floats(0.01, 8))
def test_a_plan_fits_every_source_of_its_ratio(
    source: Size, composition: Composition, target: Target, factor: float
) -> None:
    plan = plan_or_none(source, composition, target, Rules())
    other = Size(round(source.width * factor), round(source.height * factor))
    if plan is None or min(other) < 20:  # to fewer pixels rounding may do more than is let pass
        return
    fitted = plan.fit(other)
    fitted.check()
    assert (fitted.source, fitted.target, fitted.place) == (other, plan.target, plan.place)
    shares = (fitted.crop.width / other.width, fitted.crop.height / other.height)
    wanted = (plan.crop.width / source.width, plan.crop.height / source.height)
    assert shares == pytest.approx(wanted, rel=1.01 / min(*other, *source))


@settings(max_examples=100, deadline=None)
@given(sources, compositions, targets)
def test_a_plan_survives_the_trip_through_json(
    source: Size, composition: Composition, target: Target
) -> None:
    plan = plan_or_none(source, composition, target, Rules())
    if plan is not None:
        assert Plan.from_json(json.dumps(plan.to_json())) == plan
