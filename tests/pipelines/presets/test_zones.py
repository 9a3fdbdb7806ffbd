"""Strips along the edges: they cover what was asked for, once."""

import pytest
from hypothesis import given, strategies as st

from pipelines.errors import InvalidOption
from pipelines.geometry import UNIT, Box
from pipelines.presets.zones import describe_zones, edge_zones

depths = st.floats(0, 0.45, allow_subnormal=False)


@given(depths, depths, depths, depths)
def test_what_is_left_is_what_no_strip_covers_and_no_strips_overlap(
    left: float, top: float, right: float, bottom: float
) -> None:
    strips = edge_zones(left, top, right, bottom)
    free = (1 - left - right) * (1 - top - bottom)
    assert sum(strip.area for strip in strips) == pytest.approx(1 - free, abs=1e-9)
    assert all(strip.inside(UNIT) for strip in strips)
    for number, strip in enumerate(strips):
        assert all(strip.intersection(other).area < 1e-12 for other in strips[number + 1 :])


@pytest.mark.parametrize("edges", [(0.5, 0, 0.5, 0), (0, 1, 0, 0), (-0.1, 0, 0, 0)])
def test_edges_that_leave_nothing_are_refused(edges: tuple[float, float, float, float]) -> None:
    with pytest.raises(InvalidOption, match="leave something"):
        edge_zones(*edges)


def test_strips_are_told_by_their_edge_and_boxes_by_their_corners() -> None:
    strips = edge_zones(0.06, 0.14, 0.07, 0.35)
    assert describe_zones(strips) == "top 14%, bottom 35%, left 6%, right 7%"
    assert describe_zones(edge_zones(left=0.2)) == "left 20%"
    assert describe_zones([Box(0, 0.8, 0.2, 1)]) == "0,0.8,0.2,1"  # a corner is no strip
    assert describe_zones(()) == ""
