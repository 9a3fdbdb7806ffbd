"""What fills the new area: the engine's painting, or what the source itself has to offer.

All but ``generate`` need no engine: marketplaces forbid invented objects, and a flat background is
continued exactly. They ignore prompt and seed.
"""

from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.canvas import Canvas, repeat_border
from pipelines.composition import Composition
from pipelines.geometry import Box, Edge, Size
from pipelines.plan import Plan

SAME_COLOUR = 3
"""Largest difference per channel between the borders' colours that one solid colour may hide."""

BLURRED_AT = 192
"""Px of the long side at which a backdrop is blurred: nothing finer is left in it."""

BLUR = 0.035
"""Standard deviation of the blur, as a share of the long side."""


class Fill(StrEnum):
    """How the new area is filled; ``auto`` is solid where the background is flat, else generated.

    ``edge`` repeats the outermost pixels, ``mirror`` reflects the source as often as needed, and
    ``blur`` lays it on itself, enlarged to fill the frame and out of focus.
    """

    AUTO = "auto"
    GENERATE = "generate"
    SOLID = "solid"
    EDGE = "edge"
    BLUR = "blur"
    MIRROR = "mirror"

    @property
    def is_drawn(self) -> bool:
        """Whether the source alone decides it, so that no engine is needed."""
        return self not in {Fill.AUTO, Fill.GENERATE}

    @property
    def continues(self) -> bool:
        """Whether it claims to go on where the source ends; a backdrop shows that it does not."""
        return self is not Fill.BLUR


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


def draw_fill(fill: Fill, canvas: Canvas, source: Image.Image) -> Image.Image:
    """The canvas filled without an engine, RGB; ``source`` is the whole of it, RGB or RGBA."""
    assert fill.is_drawn
    match fill:
        case Fill.SOLID:
            return fill_solid(canvas)
        case Fill.MIRROR:
            return fill_mirror(canvas)
        case Fill.BLUR:
            return fill_blur(canvas, source)
        case _:
            return fill_edge(canvas)


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


def fill_mirror(canvas: Canvas) -> Image.Image:
    """The source reflected at its borders, and again at the borders of that."""
    gaps = canvas.place.gaps(canvas.size)
    kept = np.asarray(canvas.picture.crop(canvas.place))
    # without the outermost pixels, which would show as a doubled line
    down, across = (gaps[Edge.TOP], gaps[Edge.BOTTOM]), (gaps[Edge.LEFT], gaps[Edge.RIGHT])
    return Image.fromarray(np.pad(kept, (down, across, (0, 0)), mode="reflect"))


def fill_blur(canvas: Canvas, source: Image.Image) -> Image.Image:
    """The middle of the source enlarged to cover the canvas, blurred until nothing is told apart.

    Transparent parts lend no colour.
    """
    size = canvas.size
    shrink = BLURRED_AT / size.long_side
    small = Size(max(1, round(size.width * shrink)), max(1, round(size.height * shrink)))
    cover = _find_cover(Size(*source.size), size)
    look = source.convert("RGBA").resize(
        small, Image.Resampling.BILINEAR, box=cover, reducing_gap=2.0
    )
    layers = np.asarray(look, np.float32)
    share = np.maximum(layers[..., 3:], 1) / 255
    weighed = np.concatenate([layers[..., :3] * share, share], axis=2)
    weighed = cv2.GaussianBlur(weighed, (0, 0), BLUR * BLURRED_AT, borderType=cv2.BORDER_REFLECT)
    colours = np.asarray(weighed[..., :3] / weighed[..., 3:] + 0.5, np.uint8)
    picture = Image.fromarray(colours).resize(size, Image.Resampling.BICUBIC)
    picture.paste(canvas.picture.crop(canvas.place), canvas.place[:2])
    return picture


def _find_cover(source: Size, frame: Size) -> Box:
    """The largest part in the middle of the source that has the frame's ratio, px."""
    scale = max(frame.width / source.width, frame.height / source.height)
    width, height = frame.width / scale, frame.height / scale
    left, top = (source.width - width) / 2, (source.height - height) / 2
    return Box(left, top, left + width, top + height).intersection(Box(0, 0, *source))


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
