"""One side of a canvas, turned so that the photo lies left and what is to be painted right.

Turning never copies: what is written into ``fill`` lands on the canvas.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.geometry import Edge, PixelBox


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What may be learned from and what is to be painted; colours 0 to 255, rows along the seam.

    ``known`` (rows, columns, 3) ends at the seam, ``blocked`` (rows, columns) is true where a
    subject is, ``fill`` (rows, depth, 3) begins at the seam. ``is_lateral``: left or right, so
    a row is a height in the picture. ``is_cut``: the photo ends inside a subject here.
    """

    known: npt.NDArray[np.float32]
    blocked: npt.NDArray[np.bool_]
    fill: npt.NDArray[np.float32]
    is_lateral: bool
    is_cut: bool

    @property
    def rows(self) -> int:
        """Length of the seam, px."""
        return len(self.known)

    @property
    def depth(self) -> int:
        """How far is to be painted, px."""
        return int(self.fill.shape[1])


def turn_side(
    pixels: npt.NDArray[np.float32],
    blocked: npt.NDArray[np.bool_],
    place: PixelBox,
    edge: Edge,
    *,
    is_cut: bool,
) -> Side:
    """Cut the side beyond ``edge`` out of a canvas.

    ``pixels`` is (H, W, 3). Sides reach over the place's height to the left and right, and
    over the whole width of the canvas up and down, where they learn from sides painted before.
    """
    is_lateral = edge in {Edge.LEFT, Edge.RIGHT}
    if is_lateral:
        pixels, blocked = pixels[place.top : place.bottom], blocked[place.top : place.bottom]
        start, stop, far = place.left, place.right, pixels.shape[1]
    else:
        pixels, blocked = pixels.swapaxes(0, 1), blocked.swapaxes(0, 1)
        start, stop, far = place.top, place.bottom, pixels.shape[1]
    if edge in {Edge.LEFT, Edge.TOP}:
        pixels, blocked = pixels[:, ::-1], blocked[:, ::-1]
        start, stop = far - stop, far - start
    return Side(
        known=pixels[:, start:stop],
        blocked=blocked[:, start:stop],
        fill=pixels[:, stop:],
        is_lateral=is_lateral,
        is_cut=is_cut,
    )
