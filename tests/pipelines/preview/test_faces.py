"""A face is found where it is, and nowhere else."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pipelines.geometry import UNIT, Box, Edge
from pipelines.preview.faces import FaceFinder, enclose_head, enclose_person, find_cut_people

PICTURES = Path(__file__).parents[2] / "pictures"
COLLINS = Box(0.34, 0.12, 0.55, 0.34)  # brow to chin, by eye


def _read_astronaut(side: int = 256) -> npt.NDArray[np.uint8]:
    grey = cv2.imread(str(PICTURES / "astronaut.jpg"), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    return np.asarray(cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("side", [200, 256, 500])
def test_upright_face_is_found_at_any_size(side: int) -> None:
    (face,) = FaceFinder().find(_read_astronaut(side))

    common = face.intersection(COLLINS).area
    assert common / (face.area + COLLINS.area - common) > 0.6


def test_mirrored_picture_has_its_face_mirrored() -> None:
    grey = _read_astronaut()

    (face,) = FaceFinder().find(grey)
    (mirrored,) = FaceFinder().find(np.ascontiguousarray(grey[:, ::-1]))

    assert mirrored.center[0] == pytest.approx(1 - face.center[0], abs=0.03)


def test_face_upside_down_is_no_face() -> None:
    assert FaceFinder().find(np.ascontiguousarray(_read_astronaut()[::-1])) == ()


def test_noise_has_no_faces() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (400, 600), np.uint8)

    assert FaceFinder().find(noise) == ()


def test_finder_forgets_what_it_saw() -> None:
    finder, grey = FaceFinder(), _read_astronaut()

    first = finder.find(grey)
    finder.find(np.full((300, 300), 7, np.uint8))

    assert finder.find(grey) == first


@pytest.mark.parametrize("face", [Box(0.4, 0.3, 0.5, 0.4), Box(0, 0, 0.2, 0.3), UNIT])
def test_person_holds_head_holds_face_inside_the_picture(face: Box) -> None:
    head, person = enclose_head(face), enclose_person(face)

    assert face.inside(head)
    assert head.inside(person)
    assert person.inside(UNIT)


def test_bust_is_cut_by_the_bottom() -> None:
    assert find_cut_people((Box(0.4, 0.2, 0.6, 0.5),)) == {Edge.BOTTOM}


def test_small_figure_is_cut_by_no_edge() -> None:
    assert find_cut_people((Box(0.4, 0.2, 0.45, 0.25),)) == frozenset()


def test_face_at_the_side_is_cut_by_that_side() -> None:
    assert find_cut_people((Box(0, 0.1, 0.1, 0.2),)) == {Edge.LEFT}
    assert find_cut_people((Box(0.9, 0.1, 1, 0.2),)) == {Edge.RIGHT}


@pytest.mark.parametrize("angle", [-22, 22])
def test_inclined_head_is_found_where_no_face_is_upright(angle: float) -> None:
    grey = _read_astronaut(400)
    turn = cv2.getRotationMatrix2D((200, 200), angle, 1)
    inclined = cv2.warpAffine(grey, turn, (400, 400), borderMode=cv2.BORDER_REFLECT)
    x, y = turn @ np.array([*COLLINS.scaled(400).center, 1.0])

    (face,) = FaceFinder().find(np.asarray(inclined, np.uint8))

    assert face.center == pytest.approx((x / 400, y / 400), abs=0.06)
