"""Finds the dark or bright frame that scanners and bad resampling leave around a photo.

It must not be continued: a line a few px wide would be smeared over the whole new area.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.geometry import Box
from pipelines.preview.lab import to_lab

WIDEST = 8
"""A scan border is at most this wide, px; what is wider is picture."""

LOOK = 4 * WIDEST
"""Px looked at from each side inward, to know what is usual in the photo."""

SMALLEST_SHARE = 64
"""A scan border takes less than one in so many px of a side."""

FLIP = Image.Transpose.FLIP_LEFT_RIGHT

VARIED = 5.0
"""Deviation in Lab above which a column of pixels is not of one colour."""


def find_content(picture: Image.Image) -> Box:
    """The part of ``picture`` (RGB, full size) inside its scan border, in fractions."""
    width, height = picture.size
    across, down = min(LOOK, width), min(LOOK, height)
    strips = (
        picture.crop((0, 0, across, height)),
        picture.crop((0, 0, width, down)).transpose(Image.Transpose.TRANSPOSE),
        picture.crop((width - across, 0, width, height)).transpose(FLIP),
        picture.crop((0, height - down, width, height)).transpose(Image.Transpose.ROTATE_270),
    )
    left, top, right, bottom = (
        measure_border(np.asarray(strip, np.float32), min(WIDEST, side // SMALLEST_SHARE))
        for strip, side in zip(strips, (width, height, width, height), strict=True)
    )
    return Box(left / width, top / height, 1 - right / width, 1 - bottom / height)


def measure_border(known: npt.NDArray[np.float32], limit: int) -> int:
    """How many of the first columns of ``known`` (rows, columns, 3) are border, up to ``limit``.

    A border runs along most of the side; it is of one colour where the photo is not, or set off
    by a line.
    """
    if limit == 0:
        return 0
    lab = to_lab(known)
    change = np.linalg.norm(lab[:, :limit] - lab[:, limit : limit + 1], axis=2).max(axis=1)
    if np.percentile(change, 30) < VARIED:
        return 0
    steps = np.linalg.norm(np.diff(lab.mean(axis=0), axis=0), axis=1)
    usual = max(1.5, float(np.percentile(steps[limit:], 90)))
    lines = np.flatnonzero(steps[:limit] > 3 * usual) + 1
    variety = np.linalg.norm(lab.std(axis=0), axis=1)
    inner = float(np.median(variety[limit:]))
    plain = np.flatnonzero(variety[:limit] < 0.8 * inner) + 1
    if inner < VARIED or variety[0] > inner / 4:
        plain = plain[:0]
    return int(max([0, *lines, *np.minimum(plain + 2, limit)]))
