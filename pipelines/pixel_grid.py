"""Settles a placement on whole output pixels, without stretching and almost without trimming."""

import math

from pipelines.geometry import Box, PixelBox, Size

THIN = 50.0
"""Px in the output below which trimming one pixel off a side would be a crop."""


def settle(
    source: Size, frame: Size, scale: float, across: float, down: float
) -> tuple[Box, PixelBox]:
    """A whole-pixel place in the frame and the part of the source that fills it without stretch.

    The scale is nudged up to fill whole pixels where that trims at most one output pixel, else
    the place is rounded down: either way at most one output pixel of the source is trimmed.
    """
    width = min(frame.width, max(1, round(source.width * scale)))
    height = min(frame.height, max(1, round(source.height * scale)))
    needed = max(width / source.width, height / source.height)
    trimmed = max(
        (
            needed * side - fitted
            for side, fitted, space in zip(source, (width, height), frame, strict=True)
            if side * scale <= space + 1e-6
        ),
        default=0.0,
    )
    if needed > scale and trimmed <= 1:
        scale = needed
    else:
        width, height, scale = _round_down(source, frame, scale)
    crop_left, place_left = _along(source.width, frame.width, width, scale, across)
    crop_top, place_top = _along(source.height, frame.height, height, scale, down)
    crop = Box(crop_left, crop_top, crop_left + width / scale, crop_top + height / scale)
    place = PixelBox(place_left, place_top, place_left + width, place_top + height)
    return crop.intersection(Box(0, 0, *source)), place


def _round_down(source: Size, frame: Size, scale: float) -> tuple[int, int, float]:
    """The place rounded to whole pixels inward; thin sources shrink rather than lose a part."""
    width = min(frame.width, int(source.width * scale + 1e-6))
    height = min(frame.height, int(source.height * scale + 1e-6))
    whole = source.width * scale <= frame.width + 1e-6, source.height * scale <= frame.height + 1e-6
    if all(whole) and source.short_side * scale < THIN:
        scale = min(width / source.width, height / source.height)
        width, height = round(source.width * scale), round(source.height * scale)
        scale = max(width / source.width, height / source.height)
    return max(1, width), max(1, height), scale


def _along(
    source: int, frame: int, placed: int, scale: float, position: float
) -> tuple[float, int]:
    """Start of the crop (source px) and of the place (output px) on one axis."""
    start = position * max(0.0, source - placed / scale)
    if math.isclose(scale, 1):
        start = round(start)  # unscaled pixels are copied, not resampled
    return start, round(position * (frame - placed))
