"""The sizes that SDXL was trained at, and how a canvas of any size is laid onto one.

The canvas keeps its shape: it is scaled alike on both axes and centred, what remains of the
bucket is padding, and on the way back that is cut off again.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

from pipelines.geometry import PixelBox, Size

GRID = 64
"""Every side is a multiple of this, px."""

FULL = 1024
"""Side of the square bucket at full size, px."""

WIDEST = 2.4
"""Aspect ratio up to which there are trained sizes."""

TRAINED = (Size(1024, 1024), Size(1152, 896), Size(1216, 832), Size(1344, 768), Size(1536, 640))
"""Those that are at least as wide as high."""


def choose_bucket(canvas: Size, native: int = FULL) -> Size:
    """The bucket nearest to the canvas's shape; ``native`` is the model's own square side, px.

    Beyond 2.4:1 a longer one of at most the same area is made up.
    """
    if canvas.width < canvas.height:
        return Size(*choose_bucket(Size(canvas.height, canvas.width), native)[::-1])
    aspect = canvas.aspect
    if aspect > WIDEST:
        height = max(GRID, math.floor(native / math.sqrt(aspect) / GRID) * GRID)
        return Size(_snap(height * aspect), height)
    buckets = [Size(*(_snap(side * native / FULL) for side in size)) for size in TRAINED]
    return min(buckets, key=lambda size: abs(math.log(size.aspect / aspect)))


def _snap(side: float) -> int:
    return max(GRID, round(side / GRID) * GRID)


@dataclass(frozen=True, slots=True)
class Fit:
    """A canvas laid onto a bucket; ``place``, in bucket px, is where it lies."""

    canvas: Size
    bucket: Size
    place: PixelBox

    @classmethod
    def make(cls, canvas: Size, bucket: Size) -> Self:
        """As large as possible, in the middle, at least one px wide."""
        scale = min(bucket.width / canvas.width, bucket.height / canvas.height)
        width = min(bucket.width, max(1, round(canvas.width * scale)))
        height = min(bucket.height, max(1, round(canvas.height * scale)))
        left, top = (bucket.width - width) // 2, (bucket.height - height) // 2
        return cls(canvas, bucket, PixelBox(left, top, left + width, top + height))

    def enlarge(self, picture: Image.Image) -> Image.Image:
        """A picture of the canvas's size on the bucket; the padding is its reflection."""
        assert picture.size == self.canvas
        scaled = np.asarray(picture.resize(self.place.size, Image.Resampling.LANCZOS))
        left, top, right, bottom = self.place
        padding = ((top, self.bucket.height - bottom), (left, self.bucket.width - right), (0, 0))
        return Image.fromarray(np.pad(scaled, padding, mode="symmetric"))

    def enlarge_mask(self, mask: Image.Image) -> Image.Image:
        """A mask of the canvas's size on the bucket, 0 or 255.

        The padding is painted, too: a mirror image that counts as known would be continued.
        """
        assert mask.size == self.canvas
        scaled = mask.resize(self.place.size, Image.Resampling.BILINEAR)
        padded = Image.new("L", self.bucket, 255)
        padded.paste(scaled.point([0] + [255] * 255), self.place[:2])
        return padded

    def shrink(self, picture: Image.Image) -> Image.Image:
        """What lies on the canvas's place, at the canvas's size."""
        assert picture.size == self.bucket
        if self.place.size == self.canvas:
            return picture.crop(self.place)
        return picture.resize(self.canvas, Image.Resampling.LANCZOS, box=self.place)
