"""Fills that need no engine."""

import numpy as np
import pytest
from PIL import Image

from pipelines.canvas import Canvas, lay_out
from pipelines.composition import Composition
from pipelines.fill import Fill, choose_fill, fill_edge, fill_solid
from pipelines.geometry import Edge, Size
from pipelines.plan import Plan
from tests.drawings import NOTHING_SEEN, center, draw_coordinates, draw_object_on_white

FLAT = Composition("test", flat_edges=frozenset(Edge))
PLAN = center(Size(100, 60), Size(160, 60))


def canvas_of(picture: Image.Image, plan: Plan = PLAN) -> Canvas:
    return lay_out(picture, plan, NOTHING_SEEN)


def test_solid_is_exactly_the_background() -> None:
    filled = np.asarray(fill_solid(canvas_of(draw_object_on_white(100, 60))))
    assert np.all(filled[:, :30] == 255)
    assert np.all(filled[:, 130:] == 255)


def test_edge_repeats_the_outermost_pixels() -> None:
    source = np.asarray(draw_coordinates(100, 60))
    filled = np.asarray(fill_edge(canvas_of(Image.fromarray(source))))
    assert np.all(filled[:, :30] == source[:, :1])
    assert np.all(filled[:, 130:] == source[:, -1:])


@pytest.mark.parametrize("fill", [fill_solid, fill_edge])
def test_both_leave_the_source_alone(fill: object) -> None:
    assert callable(fill)
    source = draw_coordinates(100, 60)
    assert fill(canvas_of(source)).crop(PLAN.place).tobytes() == source.tobytes()


def test_auto_is_solid_on_a_flat_background() -> None:
    canvas = canvas_of(draw_object_on_white(100, 60))
    assert choose_fill(Fill.AUTO, canvas, PLAN, FLAT) is Fill.SOLID


def test_auto_repeats_the_edges_where_flat_borders_differ_in_colour() -> None:
    halves = Image.new("RGB", (100, 60), "white")
    halves.paste((200, 220, 255), (50, 0, 100, 60))
    assert choose_fill(Fill.AUTO, canvas_of(halves), PLAN, FLAT) is Fill.EDGE


def test_auto_generates_where_one_border_is_not_flat() -> None:
    seen = Composition("test", flat_edges=frozenset({Edge.LEFT}))
    canvas = canvas_of(draw_coordinates(100, 60))
    assert choose_fill(Fill.AUTO, canvas, PLAN, seen) is Fill.GENERATE


def test_what_the_caller_asks_for_is_done() -> None:
    canvas = canvas_of(draw_object_on_white(100, 60))
    for wish in (Fill.GENERATE, Fill.SOLID, Fill.EDGE):
        assert choose_fill(wish, canvas, PLAN, FLAT) is wish


def test_nothing_to_fill_is_no_fill() -> None:
    plan = center(Size(100, 60), Size(100, 60))
    canvas = canvas_of(draw_coordinates(100, 60), plan)
    assert choose_fill(Fill.GENERATE, canvas, plan, FLAT) is None
