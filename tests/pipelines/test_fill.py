"""Fills that need no engine."""

import numpy as np
import pytest
from PIL import Image

from pipelines.canvas import Canvas, lay_out
from pipelines.composition import Composition
from pipelines.fill import (
    Fill,
    choose_fill,
    draw_fill,
    fill_blur,
    fill_edge,
    fill_mirror,
    fill_solid,
)
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


def test_mirror_reflects_the_source_without_doubling_its_border() -> None:
    source = np.asarray(draw_coordinates(100, 60))
    filled = np.asarray(fill_mirror(canvas_of(Image.fromarray(source))))
    assert np.array_equal(filled[:, :30], source[:, 30:0:-1])
    assert np.array_equal(filled[:, 130:], source[:, -2:-32:-1])


def test_mirror_reflects_as_often_as_needed() -> None:
    source = draw_coordinates(7, 60)
    filled = np.asarray(fill_mirror(canvas_of(source, center(Size(7, 60), Size(107, 60)))))
    assert np.array_equal(filled[:, 50 - 12 : 57 - 12], np.asarray(source))
    assert np.array_equal(filled[:, 50 + 36 : 57 + 36], np.asarray(source))


def test_a_single_column_is_reflected_too() -> None:
    source = draw_coordinates(1, 60)
    filled = np.asarray(fill_mirror(canvas_of(source, center(Size(1, 60), Size(21, 60)))))
    assert np.all(filled == np.asarray(source))


def test_blur_is_the_whole_source_enlarged_and_out_of_focus() -> None:
    halves = Image.new("RGB", (400, 400), "navy")
    halves.paste("gold", (200, 0, 400, 400))
    plan = center(Size(100, 100), Size(500, 100))
    filled = np.asarray(fill_blur(canvas_of(halves.resize((100, 100)), plan), halves), int)
    assert np.abs(filled[:, :100] - (0, 0, 128)).max() < 12
    assert np.abs(filled[:, -100:] - (255, 215, 0)).max() < 12
    noise = np.random.default_rng(1).integers(0, 256, (600, 1000, 3), np.uint8)
    kept = Image.fromarray(noise[:60, :100])
    filled = np.asarray(fill_blur(canvas_of(kept), Image.fromarray(noise)), int)
    assert filled[:, :30].std() < 3


def test_blur_takes_no_colour_from_what_is_transparent() -> None:
    cut_out = Image.new("RGBA", (100, 60), (255, 0, 0, 0))
    cut_out.paste((10, 200, 30, 255), (30, 15, 70, 45))
    filled = np.asarray(fill_blur(canvas_of(cut_out), cut_out), int)
    fill = np.delete(filled, slice(30, 130), axis=1)
    assert fill[..., 0].max() < 60


DRAWN = [fill for fill in Fill if fill.is_drawn]


@pytest.mark.parametrize("fill", DRAWN)
def test_no_fill_touches_the_source(fill: Fill) -> None:
    source = draw_coordinates(100, 60)
    filled = draw_fill(fill, canvas_of(source), source)
    assert filled.size == PLAN.target
    assert filled.crop(PLAN.place).tobytes() == source.tobytes()


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
    for wish in (Fill.GENERATE, *DRAWN):
        assert choose_fill(wish, canvas, PLAN, FLAT) is wish


def test_nothing_to_fill_is_no_fill() -> None:
    plan = center(Size(100, 60), Size(100, 60))
    canvas = canvas_of(draw_coordinates(100, 60), plan)
    assert choose_fill(Fill.GENERATE, canvas, plan, FLAT) is None
