"""A mask drawn by the caller, white where nothing may be cut, as boxes to protect."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.codec.decode import decode
from pipelines.codec.limits import Limits
from pipelines.errors import InvalidOption
from pipelines.geometry import UNIT, Box, Size

MOST_BOXES = 32
"""More parts than these are joined with what lies nearest."""

LONG_SIDE = 1024
"""Px at which a mask is read; a white speck of a larger one still counts."""

WHITE = 128
"""Levels from which a pixel protects."""

Mask = npt.NDArray[np.uint8]


def read_mask(
    data: bytes,
    source: Size,
    limits: Limits = Limits(),  # noqa: B008  frozen
) -> tuple[Box, ...]:
    """The boxes around the white parts of a picture, in fractions of ``source``, upright.

    At most 32, from the top down. Transparent counts as black.

    Raises:
        InvalidOption: the mask's ratio is not the source's, or nothing is white.
        ImageTooLarge, ImageUndecodable: as for a source.
    """
    picture = decode(data, limits).picture
    size = Size(*picture.size)
    if not size.resembles(source):
        msg = f"a mask has the ratio of its picture, {source}; this one is {size}"
        raise InvalidOption(msg)
    white = _find_white(picture)
    if not white.any():
        msg = "the mask protects nothing: none of it is white"
        raise InvalidOption(msg)
    block = -(-size.long_side // LONG_SIDE)
    boxes = _find_boxes(_shrink(white, block))
    # the last blocks may reach beyond the mask
    return tuple(
        box.scaled(block / size.width, block / size.height).intersection(UNIT) for box in boxes
    )


def _find_white(picture: Image.Image) -> Mask:
    if picture.mode == "RGBA":
        ground = Image.new("RGBA", picture.size, "black")
        picture = Image.alpha_composite(ground, picture)
    return np.asarray(np.asarray(picture.convert("L")) >= WHITE, np.uint8)


def _shrink(mask: Mask, block: int) -> Mask:
    """A pixel for each ``block`` px squared, white where any of them is."""
    rows, columns = (-(-side // block) for side in mask.shape)
    padded = np.zeros((rows * block, columns * block), np.uint8)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return np.asarray(padded.reshape(rows, block, columns, block).max(axis=(1, 3)), np.uint8)


def _find_boxes(mask: Mask) -> Iterator[Box]:
    """Around each part, px; those that lie close are joined until there are few enough."""
    joined, reach = mask, 1
    count, labels = cv2.connectedComponents(joined)
    while count - 1 > MOST_BOXES:
        joined = np.asarray(cv2.dilate(mask, np.ones((2 * reach + 1,) * 2, np.uint8)), np.uint8)
        count, labels = cv2.connectedComponents(joined)
        reach *= 2
    own = np.where(mask, labels, 0)  # joining makes no box larger than what is white
    for number in range(1, count):
        rows = np.flatnonzero((own == number).any(axis=1))
        columns = np.flatnonzero((own == number).any(axis=0))
        yield Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
