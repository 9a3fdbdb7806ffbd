"""A small source on a large canvas: painted outward in passes, each around the last.

A pass sees only its own frame, as large as the model can, so that most of what the model sees is
known. Where a pass meets the one before, it fades into it; the source counts as known throughout,
untouched by what the passes made of it.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.canvas import Canvas
from pipelines.engine import Outpainter, Painting
from pipelines.geometry import Box, PixelBox
from pipelines.progress import Progress

FADE = 16
"""Px inside the border of what was known over which a pass fades out, if there are as many."""


def grow(painting: Painting, progress: Progress, paint: Outpainter) -> Image.Image:
    """The whole canvas, RGB, after ``paint`` was given each of its passes, at least one.

    Inside the canvas's ``place`` is what the passes made of the source.
    """
    canvas, known, layer = painting.canvas, painting.canvas.place, painting.canvas.picture.copy()
    for number, frame in enumerate(canvas.passes):
        part = _cut(canvas, layer, frame, known)
        painted = paint(
            replace(painting, canvas=part, seed=_derive(painting.seed, number)),
            partial(_tell, progress, number, len(canvas.passes)),
        )
        share = _measure_share(known, canvas.place, frame) if number else None
        layer.paste(painted, frame[:2], share)
        known = frame
    return layer


def _cut(canvas: Canvas, layer: Image.Image, frame: PixelBox, known: PixelBox) -> Canvas:
    """What lies in ``frame`` as a canvas of its own, with all that is ``known`` as its place."""
    picture = layer.copy()
    picture.paste(canvas.picture.crop(canvas.place), canvas.place[:2])
    place = _move(known, frame)
    mask = Image.new("L", frame.size, 255)
    mask.paste(0, place)
    left, top, _, _ = frame

    def move(boxes: tuple[Box, ...]) -> tuple[Box, ...]:
        return tuple(box.moved(-left, -top) for box in boxes)

    return Canvas(
        picture.crop(frame),
        mask,
        place,
        move(canvas.subjects),
        move(canvas.likely),
        canvas.cut_edges,
    )


def _move(box: PixelBox, frame: PixelBox) -> PixelBox:
    left, top, _, _ = frame
    return PixelBox(box.left - left, box.top - top, box.right - left, box.bottom - top)


def _measure_share(known: PixelBox, source: PixelBox, frame: PixelBox) -> Image.Image:
    """How much of a pass is taken: 255 where nothing was known, fading to 0 inside; mode L."""
    across, down = (
        _fade(*(box[axis::2] for box in (known, source, frame)))  # near and far side
        for axis in (0, 1)
    )
    share = np.maximum(across[None, :], down[:, None])
    return Image.fromarray((share * 255 + 0.5).astype(np.uint8))


def _fade(
    known: tuple[int, ...], source: tuple[int, ...], frame: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """The same along one axis, 0 to 1; it never reaches the source."""
    at = np.arange(*frame) + 0.5
    near, far = (min(FADE, abs(a - b)) for a, b in zip(known, source, strict=True))
    share = np.zeros(len(at))
    if known[0] > frame[0]:
        share = np.maximum(share, (known[0] + near - at) / max(near, 1e-6))
    if known[1] < frame[1]:
        share = np.maximum(share, (at - known[1] + far) / max(far, 1e-6))
    return np.minimum(share, 1)


def _derive(seed: int, number: int) -> int:
    """A pass's own seed; the first one's is the painting's."""
    if not number:
        return seed
    sequence = np.random.SeedSequence(seed % 2**64, spawn_key=(number,))
    return int(sequence.generate_state(1, np.uint64)[0])


def _tell(progress: Progress, number: int, count: int, step: str, fraction: float) -> None:
    progress(step, (number + fraction) / count)
