"""The plan laid out for an outpainter: the source in its place, and a mask of what to paint."""

from dataclasses import dataclass

from PIL import Image

from pipelines.geometry import Box, Edge, PixelBox, Size


@dataclass(frozen=True, slots=True)
class Canvas:
    """A working picture for an outpainter; all coordinates are canvas pixels.

    ``picture`` is RGB; what lies outside ``place`` means nothing. ``mask`` is mode L, 255 = paint.
    ``subjects`` are the boxes that must never be repeated or mirrored. ``cut_edges`` are the
    sides of the source that run through a subject.
    """

    picture: Image.Image
    mask: Image.Image
    place: PixelBox
    subjects: tuple[Box, ...] = ()
    cut_edges: frozenset[Edge] = frozenset()

    @property
    def size(self) -> Size:
        """Width and height of the canvas, px."""
        return Size(*self.picture.size)
