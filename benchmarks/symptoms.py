"""Signs of a broken model in what it painted, from lightness and colour alone.

A seam score compares a few columns of pixels: noise whose mean fits has no visible seam. Here each
painted side as a whole is held against what was kept, in CIE Lab units. *Roughness* is how far
pixels lie from a blur of them, and that of an area the median of its pixels: what fills it counts,
and not the edges in it. No sign says that a painting is good; that is for a person to say.

The bounds come from 243 real continuations, 27 photos of which a window counted as kept and the
rest as painted, from the preview engine's fills of the same photos, and from paintings of models
with random weights, of one colour, of noise and with a cast. Figures: docs/acceptance.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.geometry import Edge, PixelBox, Size

LONGEST = 1024
"""Px of the long side at which outputs are looked at; larger ones are shrunk to it."""

BLUR = 4.0
"""Standard deviation in px: what is wider than some 20 px is no roughness."""

LEAST_DEPTH = 12
"""Px that a side is deep to be judged; a narrower one is hardly more than its border."""

SEAM = 8
"""Px inside the kept area that may be blended, and are not looked at."""

RING = 32
"""Px on either side of the seam that are held against each other."""

NOISE = 4.0
"""Roughness of colour from which on it may be noise."""

COLOURFUL = 2.0
"""Roughness of colour per roughness of lightness from which on it is noise."""

OWN = 1.5
"""Times the kept area's roughness of colour: a source may be noise itself."""

GRAINY = 16.0
"""Roughness of lightness from which on it is noise, whatever its colour."""

DEAD = 0.15
"""Roughness below which there is nothing at all to be seen."""

ALIVE = 1.5
"""Roughness on the other side of the seam that does not end in nothing."""

EVEN = 2.0
"""Standard deviation up to which an area is of one colour."""

ALIKE = 10.0
"""Distance between two colours up to which one goes on as the other."""

FOUND = 0.1
"""Share of what is beyond the seam that an area of one colour is to be like."""

FULL, EMPTY = 250, 5
"""Levels from and up to which a channel counts as such."""

SATURATED = 0.1
"""Share of pixels with a channel full and another empty, beyond the kept area's share."""

CAST = 27.0
"""Distance in colour, not lightness, from what is beyond the seams, all sides together."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Area:
    """Part of a picture, (h, w, 3), in Lab units and in levels."""

    lab: Floats
    rgb: npt.NDArray[np.uint8]

    @property
    def light(self) -> float:
        """Roughness of lightness."""
        return _measure_roughness(self.lab[..., :1])

    @property
    def colour(self) -> float:
        """Roughness of colour."""
        return _measure_roughness(self.lab[..., 1:])

    @property
    def mean(self) -> Floats:
        """Its colour, Lab, (3,)."""
        return np.asarray(self.lab.mean(axis=(0, 1)), np.float32)

    @property
    def spread(self) -> float:
        """Standard deviation of its colours."""
        return float(np.linalg.norm(self.lab.std(axis=(0, 1))))

    @property
    def saturated(self) -> float:
        """Share of pixels that have one channel full and another empty."""
        highest, lowest = self.rgb.max(axis=2), self.rgb.min(axis=2)
        return float(((highest >= FULL) & (lowest <= EMPTY)).mean())

    def cut(self, box: PixelBox) -> "Area":
        """What is in ``box``."""
        part = slice(box.top, box.bottom), slice(box.left, box.right)
        return Area(self.lab[part], self.rgb[part])


@dataclass(frozen=True, slots=True)
class Side:
    """What was painted beyond one side, all of it and its strip along the seam, and what was kept.

    ``beside`` is the strip of the kept area along the same seam.
    """

    painted: Area
    strip: Area
    beside: Area

    @property
    def alike(self) -> float:
        """Share of what is beside the seam that has the colour of the strip."""
        apart = np.linalg.norm(self.beside.lab - self.strip.mean, axis=2)
        return float((apart < ALIKE).mean())

    @property
    def is_lost(self) -> bool:
        """Whether a border with detail ends in nothing."""
        return self.painted.light < DEAD and self.beside.light > ALIVE


def find_symptoms(output: Image.Image, place: PixelBox) -> Iterator[str]:
    """What in an output around ``place``, in px of it, looks as broken models paint, in words."""
    whole, place = _look(output, place)
    size = Size(whole.rgb.shape[1], whole.rgb.shape[0])
    gaps = place.gaps(size)
    sides = {edge: _take(whole, place, edge) for edge, gap in gaps.items() if gap >= LEAST_DEPTH}
    kept = whole.cut(_inside(place, size))
    if not kept.rgb.size:
        return  # of so little nothing can be said
    for edge, side in sides.items():
        yield from (f"{edge}: {words}" for words in _judge(side, kept))
    if sides and all(side.is_lost for side in sides.values()):
        yield "nothing in it on any side, though the source's border is rough"
    if sides and (cast := _measure_cast(list(sides.values()))) > CAST:
        yield f"a colour cast of {cast:.0f} against the source; {CAST:g} may be"


def _judge(side: Side, kept: Area) -> Iterator[str]:
    light, colour = side.painted.light, side.painted.colour
    if colour > max(NOISE, COLOURFUL * max(1.0, light), OWN * kept.colour):
        yield f"coloured noise: {colour:.1f}, and {light:.1f} in lightness"
    if light > max(GRAINY, OWN * kept.light):
        yield f"noise: {light:.1f} in lightness, {kept.light:.1f} in the source"
    if side.painted.spread < EVEN and side.alike < FOUND:
        yield f"nothing in it but one colour, which {side.alike:.0%} of the source's border has"
    if side.painted.saturated - kept.saturated > SATURATED:
        yield f"{side.painted.saturated:.0%} of it is saturated"


def _measure_cast(sides: list[Side]) -> float:
    """Distance in colour between both sides of the seams, each seam by its length."""
    lengths = [side.beside.lab.shape[0] * side.beside.lab.shape[1] for side in sides]
    apart = [side.strip.mean[1:] - side.beside.mean[1:] for side in sides]
    return float(np.linalg.norm(np.average(apart, axis=0, weights=lengths)))


def _measure_roughness(channels: Floats) -> float:
    plain = np.ascontiguousarray(channels)
    apart = np.square(plain - _blur(plain)).sum(axis=2)
    return float(np.median(np.sqrt(_blur(apart))))


def _blur(values: Floats) -> Floats:
    soft = np.asarray(cv2.GaussianBlur(values, (0, 0), BLUR), np.float32)
    return soft.reshape(values.shape)


def _look(output: Image.Image, place: PixelBox) -> tuple[Area, PixelBox]:
    """The output at the size it is looked at, and the place in it."""
    picture, shrink = output.convert("RGB"), min(1.0, LONGEST / max(output.size))
    if shrink < 1:
        width, height = (max(1, round(side * shrink)) for side in output.size)
        picture = picture.resize((width, height), Image.Resampling.BOX)
        place = PixelBox(*(round(side * shrink) for side in place))
    rgb = np.asarray(picture)
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return Area(np.asarray(lab, np.float32), rgb), place


def _inside(place: PixelBox, size: Size) -> PixelBox:
    """The kept area without what may be blended."""
    left, top, right, bottom = place
    gaps = place.gaps(size)
    return PixelBox(
        left + SEAM * bool(gaps[Edge.LEFT]),
        top + SEAM * bool(gaps[Edge.TOP]),
        right - SEAM * bool(gaps[Edge.RIGHT]),
        bottom - SEAM * bool(gaps[Edge.BOTTOM]),
    )


def _take(whole: Area, place: PixelBox, edge: Edge) -> Side:
    height, width = whole.rgb.shape[:2]
    left, top, right, bottom = place
    boxes = {
        Edge.LEFT: (
            PixelBox(0, top, left, bottom),
            PixelBox(max(0, left - RING), top, left, bottom),
            PixelBox(left + SEAM, top, min(right, left + SEAM + RING), bottom),
        ),
        Edge.RIGHT: (
            PixelBox(right, top, width, bottom),
            PixelBox(right, top, min(width, right + RING), bottom),
            PixelBox(max(left, right - SEAM - RING), top, right - SEAM, bottom),
        ),
        Edge.TOP: (
            PixelBox(0, 0, width, top),
            PixelBox(left, max(0, top - RING), right, top),
            PixelBox(left, top + SEAM, right, min(bottom, top + SEAM + RING)),
        ),
        Edge.BOTTOM: (
            PixelBox(0, bottom, width, height),
            PixelBox(left, bottom, right, min(height, bottom + RING)),
            PixelBox(left, max(top, bottom - SEAM - RING), right, bottom - SEAM),
        ),
    }
    return Side(*(whole.cut(box) for box in boxes[edge]))
