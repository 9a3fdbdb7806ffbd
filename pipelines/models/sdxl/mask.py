"""Where the model paints, and for how long the source beside it holds on.

Masks are uint8 arrays (H, W), 255 = paint; a cell is the square of px that one latent covers.
"""

import cv2
import numpy as np
import numpy.typing as npt


def widen_mask(mask: npt.NDArray[np.uint8], overlap: int, cell: int) -> npt.NDArray[np.uint8]:
    """Paint ``overlap`` px of the source as well, and whole cells; 0 leaves the mask as it is.

    Never more than an eighth of the source's short side, so that a small one does not vanish.
    """
    if not overlap:
        return mask
    depth = _measure_depth(mask)
    # the deepest px lies half a short side inside, or a whole one where only one side is painted
    reach = min(overlap, float(depth.max()) / 4)
    wide = (depth <= reach).astype(np.uint8) * np.uint8(255)
    cells = touch_cells(wide, cell)
    if cells.all():  # a source of a few cells
        return mask
    return cells.repeat(cell, 0).repeat(cell, 1).astype(np.uint8) * np.uint8(255)


def fade_mask(mask: npt.NDArray[np.uint8], wide: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """1 where the mask is, falling to 0 across the band by which ``wide`` is wider."""
    inside, outside = _measure_depth(mask), _measure_depth(255 - wide)
    return np.asarray(outside / (inside + outside), np.float32)


def touch_cells(mask: npt.NDArray[np.uint8], cell: int) -> npt.NDArray[np.bool_]:
    """The cells (h, w) of which any px is to be painted."""
    rows, columns = mask.shape[0] // cell, mask.shape[1] // cell
    return np.asarray(mask.reshape(rows, cell, columns, cell).max(axis=(1, 3)) > 0)


def pick_cells(mask: npt.NDArray[np.uint8], cell: int) -> npt.NDArray[np.float32]:
    """One number per cell, 1 = paint: its first px, as the model was taught."""
    return (mask[::cell, ::cell] > 0).astype(np.float32)


def measure_hold(cells: npt.NDArray[np.float32], ramp: int) -> npt.NDArray[np.float32]:
    """The share of the steps, 0 to 1, during which the source keeps each cell to itself.

    0 where the model paints, 1 from ``ramp`` cells inside the source on; a ``ramp`` of 0 holds
    nothing. Near the seam it lets go early: there the latents have seen the grey of the new area.
    """
    if not ramp or not cells.any():
        return np.zeros_like(cells)
    known = (cells == 0).astype(np.uint8)
    depth = cv2.distanceTransform(known, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.minimum(depth / ramp, 1), np.float32)


def _measure_depth(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Px from each known px to the nearest to be painted, 0 for those; exact along the axes."""
    known = (mask == 0).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(known, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)
