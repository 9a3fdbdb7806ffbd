"""Flat edges are those a solid colour continues; cut edges those that run through a thing."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pipelines.geometry import Edge
from pipelines.preview.borders import find_cut_edges, find_flat_edges
from pipelines.preview.saliency import measure_saliency

ALL = frozenset(Edge)


def _fill(value: int = 200) -> npt.NDArray[np.uint8]:
    return np.full((400, 600, 3), value, np.uint8)


def _cut_edges(picture: npt.NDArray[np.uint8]) -> frozenset[Edge]:
    return find_cut_edges(picture, measure_saliency(picture))


def test_even_ground_is_flat_all_around() -> None:
    picture = _fill()
    cv2.circle(picture, (300, 200), 120, (10, 90, 30), cv2.FILLED)

    assert find_flat_edges(picture) == ALL


def test_faint_noise_of_compression_is_still_flat() -> None:
    noise = np.random.default_rng(4).integers(-1, 2, (400, 600, 1))

    assert find_flat_edges((_fill() + noise).astype(np.uint8)) == ALL


def test_gradient_is_flat_on_no_edge() -> None:
    sky = np.linspace(120, 220, 400).astype(np.uint8)[:, None, None]

    assert find_flat_edges(np.broadcast_to(sky, (400, 600, 3)).copy()) == frozenset()


def test_visible_grain_is_not_flat() -> None:
    noise = np.random.default_rng(4).integers(-20, 21, (400, 600, 1))

    assert find_flat_edges((_fill(128) + noise).astype(np.uint8)) == frozenset()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (600, 4)])
def test_tiny_picture_of_one_colour_is_flat(size: tuple[int, int]) -> None:
    assert find_flat_edges(np.full((*size, 3), 30, np.uint8)) == ALL


@pytest.mark.parametrize("turns", range(4))
def test_thing_that_runs_out_of_the_middle_of_an_edge_cuts_only_that_edge(turns: int) -> None:
    picture = _fill()
    cv2.rectangle(picture, (230, 200), (370, 399), (30, 60, 120), cv2.FILLED)
    turned = np.ascontiguousarray(np.rot90(picture, turns))
    order = (Edge.BOTTOM, Edge.RIGHT, Edge.TOP, Edge.LEFT)

    assert _cut_edges(turned) == {order[turns]}
    assert find_flat_edges(turned) == ALL - {order[turns]}


def test_horizon_cuts_no_edge() -> None:
    picture = _fill()
    picture[220:] = (30, 60, 120)

    assert _cut_edges(picture) == frozenset()


def test_thing_inside_cuts_no_edge() -> None:
    picture = _fill()
    cv2.circle(picture, (300, 200), 80, (30, 60, 120), cv2.FILLED)

    assert _cut_edges(picture) == frozenset()


def test_busy_picture_cuts_no_edge() -> None:
    noise = np.random.default_rng(6).integers(0, 256, (400, 600, 3), np.uint8)

    assert _cut_edges(noise) == frozenset()
