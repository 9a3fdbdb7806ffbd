"""Painted tiles become one layer over the draft, and the draft shows wherever nothing is new."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.geometry import PixelBox
from pipelines.models.sdxl.tiles import Weights

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

COARSE = 8
"""Broad colours are measured on a copy this many times smaller."""


def stitch(
    draft: Pixels,
    places: Sequence[tuple[PixelBox, Weights]],
    pictures: Sequence[Image.Image],
) -> Floats:
    """What the weighted pictures, each in its place, change about the draft: levels (H, W, 3)."""
    change = np.zeros(draft.shape, np.float32)
    for (box, weight), picture in zip(places, pictures, strict=True):
        rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
        difference = np.asarray(picture, np.float32) - draft[rows, columns]
        difference *= weight.down[:, None, None]
        difference *= weight.across[:, None]
        change[rows, columns] += difference
    return change


def keep_colours(change: Floats, share: Floats, reach: float) -> Floats:
    """``change`` without what it changes about colours over more than about ``reach`` px.

    What is measured counts by its ``share`` (H, W), 0 to 1.
    """
    rows, columns = share.shape
    coarse = (max(1, columns // COARSE), max(1, rows // COARSE))
    weight = cv2.resize(share, coarse, interpolation=cv2.INTER_AREA)
    small = cv2.resize(change, coarse, interpolation=cv2.INTER_AREA) * weight[..., None]
    blurred = cv2.GaussianBlur(cv2.merge([small, weight]), (0, 0), reach / COARSE)
    broad = blurred[..., :3] / np.maximum(blurred[..., 3:], 1e-6)
    return change - cv2.resize(broad, (columns, rows), interpolation=cv2.INTER_LINEAR)


def lay_over(draft: Pixels, change: Floats, share: Floats) -> Pixels:
    """The draft with its ``share`` (H, W) of the change; where that is 0, exactly the draft."""
    levels = draft + change * share[..., None]
    return np.asarray(np.clip(levels + 0.5, 0, 255), np.uint8)
