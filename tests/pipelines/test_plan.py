"""A plan's derived numbers and its JSON."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.errors import InvalidPlan, UnreachableTarget
from pipelines.geometry import Box, Edge, PixelBox, Size
from pipelines.plan import Plan
from tests.drawings import center

PLAN = center(Size(600, 400), Size(1000, 400), feather=8)


def test_what_is_painted_follows_from_the_place() -> None:
    assert PLAN.painted == (PixelBox(0, 0, 200, 400), PixelBox(800, 0, 1000, 400))
    assert PLAN.painted_fraction == pytest.approx(0.4)
    assert PLAN.gaps == {Edge.LEFT: 200, Edge.TOP: 0, Edge.RIGHT: 200, Edge.BOTTOM: 0}


def test_a_place_inside_the_frame_is_painted_around_without_overlap() -> None:
    plan = center(Size(600, 200), Size(1000, 400))
    areas = [region.size.area for region in plan.painted]
    assert areas == [200 * 200, 200 * 200, 1000 * 100, 1000 * 100]


def test_unscaled_whole_pixels_are_copied() -> None:
    assert PLAN.copied
    half = Plan(Size(600, 400), Size(300, 200), Box(0, 0, 600, 400), PixelBox(0, 0, 300, 200))
    assert not half.copied
    assert half.scale == 0.5
    assert half.noop


def test_the_canvas_is_the_output_up_to_a_megapixel() -> None:
    assert PLAN.canvas == (1000, 400)
    large = center(Size(4096, 4096), Size(8192, 4096))
    assert large.canvas.area <= 1.01 * 1024 * 1024
    assert large.canvas.aspect == pytest.approx(2, rel=0.01)


def test_json_has_what_other_tools_read() -> None:
    fields = PLAN.to_json()
    assert fields["target"] == [1000, 400]
    assert fields["crop"] == [0, 0, 600, 400]
    assert fields["place"] == [200, 0, 800, 400]
    assert fields["feather"] == 8


def test_an_edited_plan_is_read_and_derived_anew() -> None:
    fields = PLAN.to_json()
    fields["place"] = [0, 0, 600, 400]
    moved = Plan.from_json(json.dumps(fields))
    assert moved.painted == (PixelBox(600, 0, 1000, 400),)


def spoil(**changes: Any) -> str:
    return json.dumps(PLAN.to_json() | changes)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: "", "a plan is a JSON object"),
        (lambda: "[]", "a plan is a JSON object"),
        (lambda: "{}", "a plan is a JSON object"),
        (lambda: spoil(place=[0, 0, 600.5, 400]), "a plan is a JSON object"),
        (lambda: spoil(crop=[0, 0, 600]), "a plan is a JSON object"),
        (lambda: spoil(crop=[0, 0, float("nan"), 400]), "a plan is a JSON object"),
        (lambda: spoil(policy="guess"), "a plan is a JSON object"),
        (lambda: spoil(crop=[0, 0, 601, 400]), "leaves the source"),
        (lambda: spoil(place=[500, 0, 1100, 400]), "leaves the target"),
        (lambda: spoil(place=[0, 0, 1000, 400]), "scales by"),
        (lambda: spoil(place=[10, 0, 10, 400]), "must have an area"),
        (lambda: spoil(feather=300), "feather"),
        (lambda: spoil(feather=-1), "feather"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(make: Callable[[], str], complaint: str) -> None:
    with pytest.raises(InvalidPlan, match=complaint):
        Plan.from_json(make())


@pytest.mark.parametrize("text", ["[" * 100_000, '{"source":' * 50_000])
def test_a_plan_nested_too_deep_is_refused(text: str) -> None:
    with pytest.raises(InvalidPlan):
        Plan.from_json(text)


def test_a_plan_for_a_target_that_cannot_be_made_is_refused() -> None:
    size = [200_000, 200_000]
    with pytest.raises(UnreachableTarget):
        Plan.from_json(spoil(target=size, place=[0, 0, 600, 400]))


def test_a_plan_fits_a_larger_source_of_the_same_ratio() -> None:
    plan = Plan(Size(300, 200), Size(400, 200), Box(0, 20, 300, 170), PixelBox(50, 0, 350, 150))
    fitted = plan.fit(Size(6000, 4001))
    fitted.check()
    assert fitted.crop == Box(0, 400, 6000, 3400)
    assert (fitted.place, fitted.target) == (plan.place, plan.target)
    assert plan.fit(Size(300, 200)) == plan


@pytest.mark.parametrize("source", [Size(200, 300), Size(300, 190), Size(6000, 4100)])
def test_a_plan_does_not_fit_a_source_of_another_ratio(source: Size) -> None:
    plan = Plan(Size(300, 200), Size(300, 200), Box(0, 0, 300, 200), PixelBox(0, 0, 300, 200))
    with pytest.raises(InvalidPlan, match="another ratio"):
        plan.fit(source)
