"""The preview engine's fill: continues a photo beyond its borders without any weights."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.engine import Painting
from pipelines.geometry import Box, Edge, Size
from pipelines.preview import membrane, rim, texture
from pipelines.preview.continuation import continue_colours, make_grain
from pipelines.preview.side import Side, turn_side
from pipelines.preview.swatch import choose_swatch
from pipelines.progress import Progress, Step

SMALLEST_BLOCK = 6
"""Px; what is cut from a photo smaller than this is dots, not texture."""

MOSTLY = 0.6
"""Share of a border that a subject may touch before nothing is left to continue."""


class PreviewOutpainter:
    """Paints side by side, sideways first, with colours and textures found next to that side."""

    def __call__(self, painting: Painting, progress: Progress) -> Image.Image:
        """Return RGB; the place is kept to the bit. It reads neither the prompt nor the mode."""
        canvas = painting.canvas
        picture = canvas.picture.convert("RGB")
        pixels = np.asarray(picture).astype(np.float32)
        masks = (
            _rasterise(canvas.size, canvas.subjects),
            _rasterise(canvas.size, canvas.subjects + canvas.likely),
        )
        gaps = canvas.place.gaps(canvas.size)
        edges = [e for e in (Edge.LEFT, Edge.RIGHT, Edge.TOP, Edge.BOTTOM) if gaps[e] > 0]
        rng = np.random.default_rng(painting.seed)
        for number, edge in enumerate(edges):
            side = turn_side(pixels, masks, canvas.place, edge, is_cut=edge in canvas.cut_edges)
            _paint(side, rng, partial(_report, progress, number, len(edges)))
        painted = Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))
        painted.paste(picture.crop(canvas.place), canvas.place[:2])
        progress(Step.OUTPAINT, 1.0)
        return painted


def _report(progress: Progress, number: int, sides: int, fraction: float) -> None:
    progress(Step.OUTPAINT, (number + fraction) / sides)


def _rasterise(size: Size, boxes: tuple[Box, ...]) -> npt.NDArray[np.bool_]:
    blocked = np.zeros((size.height, size.width), np.bool_)
    for box in boxes:
        left, top = max(0, int(np.floor(box.left))), max(0, int(np.floor(box.top)))
        right, bottom = max(0, int(np.ceil(box.right))), max(0, int(np.ceil(box.bottom)))
        blocked[top:bottom, left:right] = True
    return blocked


def _paint(side: Side, rng: np.random.Generator, tick: Callable[[float], None]) -> None:
    tick(0.0)
    if rim.is_flat(side.known):
        side.fill[:] = np.median(side.known[:, -5:], axis=1)[:, None]
        return
    side = _avoid_things(side)
    touched = rim.find_touched(side.taken, is_cut=side.is_cut)
    edge = side.known[:, -2:].mean(axis=1)
    target = continue_colours(side, touched)
    side.fill[:] = membrane.bend(target, edge, side.rows / 16) + make_grain(side, rng)
    swatch = choose_swatch(side)
    if swatch.block < SMALLEST_BLOCK or touched.mean() > MOSTLY:
        return
    # what is not trusted has faded away by then
    depth = side.depth if swatch.trust else min(side.depth, side.rows // 8)
    target, fill = target[:, :depth], side.fill[:, :depth]
    woven = texture.weave(side, swatch, target, rng, tick)
    if woven is None:
        return
    fade = texture.find_fade(side, swatch, woven - target)
    share = (1 - fade) * (1 - _soften(touched, side.rows / 20))
    fill += share * (membrane.bend(woven, edge, swatch.block / 3) - fill)


def _avoid_things(side: Side) -> Side:
    """What lies on a plain ground counts as a subject: it must not be scattered over it."""
    things = rim.find_things(side.known)
    if things is None:
        return side
    return replace(side, taken=side.taken | things, blocked=side.blocked | things)


def _soften(rows: npt.NDArray[np.bool_], sigma: float) -> npt.NDArray[np.float32]:
    column = rows.astype(np.float32)[:, None]
    soft = cv2.GaussianBlur(column, (1, 4 * int(sigma) + 1), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(soft, dtype=np.float32).reshape(-1, 1, 1)
