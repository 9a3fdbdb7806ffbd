"""Finds upright frontal faces and guesses the person below each.

A Haar cascade looks at the picture and at its mirror image; a hit counts when both are sure
enough together. Where there is none it looks again for heads inclined to either side. Profiles
and turned heads stay unseen.
"""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.errors import EngineUnavailable
from pipelines.geometry import UNIT, Box, Edge

# stage sums of the hit and of its mirrored twin; real faces reach 111.8 and more,
# folds, coins and paw prints up to 111.4
SURE_ENOUGH = 111.5
SURE_IF_TILTED = 112.0  # there are two more chances of a false hit
TILT = 20.0  # degrees; the cascade itself bears about ten either way
TILTED_SIDE = 480  # a tilted head is worth a look only where it is large
SAME_FACE = 0.45  # overlap over union of a hit and its twin
SMALLEST = 0.04  # of the short side, plus the pixels of a face that can be told at all
SMALLEST_PX = 14


class FaceFinder:
    """Holds the cascade; its answers do not depend on what it saw before."""

    def __init__(self) -> None:
        """Load the cascade that OpenCV ships; raises EngineUnavailable without it."""
        path = Path(cv2.__file__).with_name("data") / "haarcascade_frontalface_alt2.xml"
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise EngineUnavailable("OpenCV's face cascade is missing; OpenCV 4.14 ships it")

    def find(self, grey: npt.NDArray[np.uint8]) -> tuple[Box, ...]:
        """Return the bare faces, brow to chin, in fractions, from left to right."""
        height, width = grey.shape
        even = np.asarray(cv2.equalizeHist(grey), np.uint8)
        sure = self._find_upright(even, SURE_ENOUGH) or self._find_tilted(even)
        faces = (hit.intersection(Box(0, 0, width, height)) for hit in sorted(sure))
        return tuple(face.scaled(1 / width, 1 / height) for face in faces)

    def _find_upright(self, even: npt.NDArray[np.uint8], enough: float) -> set[Box]:
        hits = self._detect(even)
        if not hits:
            return set()
        width = even.shape[1]
        twins = [
            (Box(width - hit.right, hit.top, width - hit.left, hit.bottom), score)
            for hit, score in self._detect(np.ascontiguousarray(even[:, ::-1]))
        ]
        return {hit for hit, score in hits if score + _agree(hit, twins) >= enough}

    def _find_tilted(self, even: npt.NDArray[np.uint8]) -> set[Box]:
        """Look for large heads inclined to either side, on a smaller copy."""
        scale = min(1.0, TILTED_SIDE / max(even.shape))
        small = cv2.resize(even, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = small.shape
        found = set()
        for angle in (-TILT, TILT):
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
            back = cv2.invertAffineTransform(turn)
            turned = cv2.warpAffine(small, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
            for hit in self._find_upright(np.asarray(turned, np.uint8), SURE_IF_TILTED):
                x, y = back @ np.array([*hit.center, 1.0])
                reach = hit.width / 2
                found.add(Box(x - reach, y - reach, x + reach, y + reach).scaled(1 / scale))
        return found

    def _detect(self, grey: npt.NDArray[np.uint8]) -> list[tuple[Box, float]]:
        smallest = round(SMALLEST * min(grey.shape)) + SMALLEST_PX
        hits, _, scores = self._cascade.detectMultiScale3(
            grey,
            scaleFactor=1.1,
            minNeighbors=2,
            minSize=(smallest, smallest),
            outputRejectLevels=True,
        )
        return [
            (Box(float(x), float(y), float(x + width), float(y + height)), float(score))
            for (x, y, width, height), score in zip(hits, np.ravel(scores), strict=True)
        ]


def enclose_head(face: Box) -> Box:
    """Return ``face`` with hair, ears and chin, inside the picture."""
    width, height = face.width, face.height
    head = Box(
        face.left - 0.15 * width,
        face.top - 0.35 * height,
        face.right + 0.15 * width,
        face.bottom + 0.2 * height,
    )
    return head.intersection(UNIT)


def enclose_person(face: Box) -> Box:
    """Return head, shoulders and all that stands below, at most eight faces tall."""
    head = enclose_head(face)
    middle, reach = face.center[0], 1.6 * face.width
    person = Box(middle - reach, head.top, middle + reach, face.top + 8 * face.height)
    return person.union(head).intersection(UNIT)


def find_cut_people(faces: tuple[Box, ...]) -> frozenset[Edge]:
    """Return the borders that certainly run through a person."""
    cut = set()
    for face in faces:
        near = 0.1 * face.width
        cut |= {Edge.LEFT} if face.left < near else set()
        cut |= {Edge.RIGHT} if face.right > 1 - near else set()
        # five faces below the brow is the waist of a standing person, the knee of a sitting one
        cut |= {Edge.BOTTOM} if face.top + 5 * face.height > 1 else set()
    return frozenset(cut)


def _agree(hit: Box, twins: list[tuple[Box, float]]) -> float:
    scores = [score for twin, score in twins if _overlap(hit, twin) > SAME_FACE]
    return max(scores, default=0.0)


def _overlap(one: Box, other: Box) -> float:
    common = one.intersection(other).area
    return common / (one.area + other.area - common)
