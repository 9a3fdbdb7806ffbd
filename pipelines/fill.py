"""What fills the new area: the engine's painting, one solid colour, or the repeated border.

Solid and edge need no engine: marketplaces forbid invented objects, and a flat background is
continued exactly. Both ignore prompt and seed.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.canvas import Canvas, repeat_border
from pipelines.composition import Composition
from pipelines.geometry import Edge
from pipelines.plan import Plan

SAME_COLOUR = 3
"""Largest difference per channel between the borders' colours that one solid colour may hide."""


class Fill(StrEnum):
    """How the new area is filled; ``auto`` is solid where the background is flat."""

    AUTO = "auto"
    GENERATE = "generate"
    SOLID = "solid"
    EDGE = "edge"


def choose_fill(wished: Fill, canvas: Canvas, plan: Plan, composition: Composition) -> Fill | None:
    """Resolve ``auto``: solid where every border to be extended is flat; None: nothing to fill."""
    edges = [edge for edge, gap in plan.gaps.items() if gap]
    if not edges:
        return None
    if wished is not Fill.AUTO:
        return wished
    if not all(edge in composition.flat_edges for edge in edges):
        return Fill.GENERATE
    colours = np.array([np.median(border, axis=0) for border in _borders(canvas)])
    spread = colours.max(axis=0) - colours.min(axis=0)
    return Fill.SOLID if spread.max() <= SAME_COLOUR else Fill.EDGE


def fill_solid(canvas: Canvas) -> Image.Image:
    """One colour, the median along the borders that are extended."""
    colour = np.median(np.concatenate(_borders(canvas)), axis=0)
    red, green, blue = (round(float(channel)) for channel in colour)
    picture = Image.new("RGB", canvas.size, (red, green, blue))
    picture.paste(canvas.picture.crop(canvas.place), canvas.place[:2])
    return picture


def fill_edge(canvas: Canvas) -> Image.Image:
    """The outermost pixels of the source repeated outward."""
    return repeat_border(canvas.picture.crop(canvas.place), canvas.place.gaps(canvas.size))


def _borders(canvas: Canvas) -> list[npt.NDArray[np.uint8]]:
    """The outermost pixels along each side that is extended, each (N, 3)."""
    kept = np.asarray(canvas.picture.crop(canvas.place))
    lines = {
        Edge.LEFT: kept[:, 0],
        Edge.TOP: kept[0],
        Edge.RIGHT: kept[:, -1],
        Edge.BOTTOM: kept[-1],
    }
    gaps = canvas.place.gaps(canvas.size)
    return [lines[edge] for edge in Edge if gaps[edge]] or list(lines.values())
