"""One side of a canvas, turned so that the photo lies left and what is to be painted right.

Turning never copies: what is written into ``fill`` lands on the canvas.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.geometry import Edge, PixelBox

BANNER = 1.5
"""Depth in lengths of the seam from which a side is a banner's."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What may be learned from and what is to be painted; colours 0 to 255, rows along the seam.

    ``known`` (rows, columns, 3) ends at the seam; ``taken`` (rows, columns) is true where a
    subject is, ``blocked`` also where one is only likely; ``fill`` (rows, depth, 3) begins at
    the seam. ``is_lateral``: left or right, so
    a row is a height in the picture. ``is_cut``: the photo ends inside a subject here.
    """

    known: npt.NDArray[np.float32]
    taken: npt.NDArray[np.bool_]
    blocked: npt.NDArray[np.bool_]
    fill: npt.NDArray[np.float32]
    is_lateral: bool
    is_cut: bool

    @property
    def rows(self) -> int:
        """Length of the seam, px."""
        return len(self.known)

    @property
    def is_banner(self) -> bool:
        """Whether this side is far too deep to be filled with texture from its photo."""
        return self.is_lateral and self.depth > BANNER * self.rows

    @property
    def depth(self) -> int:
        """How far is to be painted, px."""
        return int(self.fill.shape[1])


def turn_side(
    pixels: npt.NDArray[np.float32],
    masks: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]],
    place: PixelBox,
    edge: Edge,
    *,
    is_cut: bool,
) -> Side:
    """Cut the side beyond ``edge`` out of a canvas.

    ``pixels`` is (H, W, 3), ``masks`` are taken and blocked, (H, W). Sides reach over the
    place's height to the left and right, and over the whole width of the canvas up and down,
    where they learn from sides painted before.
    """
    is_lateral = edge in {Edge.LEFT, Edge.RIGHT}
    # a view: what is written into it lands on the canvas
    rows = slice(place.top, place.bottom)
    colours, (taken, blocked) = pixels, masks
    if is_lateral:
        colours, taken, blocked = colours[rows], taken[rows], blocked[rows]
    else:
        colours, taken, blocked = (
            colours.swapaxes(0, 1),
            taken.swapaxes(0, 1),
            blocked.swapaxes(0, 1),
        )
    start, stop = (place.left, place.right) if is_lateral else (place.top, place.bottom)
    if edge in {Edge.LEFT, Edge.TOP}:
        far = colours.shape[1]
        colours, taken, blocked = colours[:, ::-1], taken[:, ::-1], blocked[:, ::-1]
        start, stop = far - stop, far - start
    return Side(
        known=colours[:, start:stop],
        taken=taken[:, start:stop],
        blocked=blocked[:, start:stop],
        fill=colours[:, stop:],
        is_lateral=is_lateral,
        is_cut=is_cut,
    )
