"""The plan laid out in pixels: the source resampled to its place, and a canvas to paint on."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipelines.composition import Composition, Subject
from pipelines.geometry import Box, Edge, PixelBox, Size
from pipelines.plan import Plan


@dataclass(frozen=True, slots=True)
class Canvas:
    """A working picture for an outpainter; all coordinates are canvas pixels.

    ``picture`` is RGB; what lies outside ``place`` means nothing, and a scan border inside it has
    been painted over. ``mask`` is mode L, 255 = paint.
    ``subjects`` are boxes that must never be repeated or mirrored; ``likely`` ones are only
    guessed, and not to be copied where there is anything else. ``cut_edges`` are the sides of the
    source that run through a subject. ``passes`` are frames to grow through, each around the one
    before, the first around ``place``; the last is the whole canvas.
    """

    picture: Image.Image
    mask: Image.Image
    place: PixelBox
    subjects: tuple[Box, ...] = ()
    likely: tuple[Box, ...] = ()
    cut_edges: frozenset[Edge] = frozenset()
    passes: tuple[PixelBox, ...] = ()

    @property
    def size(self) -> Size:
        """Width and height of the canvas, px."""
        return Size(*self.picture.size)


def resample(picture: Image.Image, plan: Plan) -> Image.Image:
    """The kept part of the source at its size in the output, straight from the original pixels.

    Exact copies where the scale is 1, else one Lanczos resampling. Colours weigh by their alpha,
    so that what is hidden below transparent pixels does not show in the half-transparent ones
    beside them; where the result is fully transparent, the hidden colours are resampled as well.
    """
    if plan.copied:
        left, top, right, bottom = map(int, plan.crop)
        return picture.crop((left, top, right, bottom))
    size, lanczos = plan.place.size, Image.Resampling.LANCZOS
    kept = picture.convert("RGB").resize(size, lanczos, box=plan.crop)
    if picture.mode == "RGBA":
        weighed = picture.resize(size, lanczos, box=plan.crop)  # Pillow premultiplies
        alpha = weighed.getchannel("A")
        kept.paste(weighed.convert("RGB"), mask=alpha.point(lambda level: 255 * bool(level)))
        kept.putalpha(alpha)
    return kept


def lay_out(
    kept: Image.Image, plan: Plan, composition: Composition, size: Size | None = None
) -> Canvas:
    """Put the kept part (output px, RGB or RGBA) on a canvas, of the plan's size unless given."""
    size = size or plan.canvas
    across, down = size.width / plan.target.width, size.height / plan.target.height
    place = _snapped(Box(*plan.place).scaled(across, down), size)
    picture = Image.new("RGB", size)
    shrunk = kept.convert("RGB")
    if place.size != kept.size:
        shrunk = shrunk.resize(place.size, Image.Resampling.LANCZOS)
    picture.paste(shrunk, place[:2])
    mask = Image.new("L", size, 255)
    mask.paste(0, place)

    def find(subjects: Iterable[Subject]) -> tuple[Box, ...]:
        boxes = (plan.on_output(subject.box).scaled(across, down) for subject in subjects)
        return tuple(spot for box in boxes if (spot := box.intersection(Box(*place))).area)

    seen = composition.subjects
    content = plan.on_output(composition.content).scaled(across, down)
    return Canvas(
        _clean_rim(picture, place, content),
        mask,
        place,
        find(subject for subject in seen if subject.trusted),
        # a must-keep box that is not trusted is a bound, often the whole picture
        find(subject for subject in seen if not subject.trusted and not subject.must_keep),
        composition.cut_edges,
        tuple(_grow(place, (Box(*frame).scaled(across, down) for frame in plan.passes), size)),
    )


def _grow(place: PixelBox, frames: Iterable[Box], size: Size) -> Iterator[PixelBox]:
    """The frames that are larger than the one before, as whole pixels."""
    for frame in frames:
        snapped = _snapped(frame, size)
        if snapped != place:
            place = snapped
            yield place


def _snapped(place: Box, size: Size) -> PixelBox:
    """To whole pixels, at least one wide, inside the canvas."""
    left = min(round(place.left), size.width - 1)
    top = min(round(place.top), size.height - 1)
    return PixelBox(left, top, max(left + 1, round(place.right)), max(top + 1, round(place.bottom)))


def _clean_rim(picture: Image.Image, place: PixelBox, content: Box) -> Image.Image:
    """Replace a scan border by a reflection of what is inside, that nobody continues it."""
    inner = PixelBox(
        max(place.left, math.ceil(content.left - 0.01)),
        max(place.top, math.ceil(content.top - 0.01)),
        min(place.right, math.floor(content.right + 0.01)),
        min(place.bottom, math.floor(content.bottom + 0.01)),
    )
    if inner == place or min(inner.size) < 1:
        return picture
    down = (inner.top - place.top, place.bottom - inner.bottom)
    across = (inner.left - place.left, place.right - inner.right)
    clean = np.pad(np.asarray(picture.crop(inner)), (down, across, (0, 0)), mode="symmetric")
    picture.paste(Image.fromarray(clean), place[:2])
    return picture


def extend_alpha(kept: Image.Image, plan: Plan) -> Image.Image:
    """The kept part's alpha continued to the whole output by repeating its border, mode L."""
    return repeat_border(kept.getchannel("A"), plan.gaps)


def repeat_border(picture: Image.Image, gaps: dict[Edge, int]) -> Image.Image:
    """Grow ``picture`` by ``gaps`` px a side, filled with its outermost pixels; any mode."""
    pixels = np.asarray(picture)
    down = (gaps[Edge.TOP], gaps[Edge.BOTTOM])
    across = (gaps[Edge.LEFT], gaps[Edge.RIGHT])
    channels = [(0, 0)] * (pixels.ndim - 2)
    return Image.fromarray(np.pad(pixels, (down, across, *channels), mode="edge"))
