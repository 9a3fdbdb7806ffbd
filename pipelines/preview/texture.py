"""A fill with real texture: a quilt of the photo next to a side, in the colours of a target.

Sideways whole blocks are copied, bound to their row, so that structure goes on at its height;
up and down only the relief of the calm band next to the border is. Colours are float32, 0 to
255, fills (rows, depth, 3).
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.preview.quilt import Quilt
from pipelines.preview.side import Side
from pipelines.preview.swatch import Swatch

THINGS_ASIDE = (14.0, 36.0)
"""From which to which local contrast texture sideways is of things rather than of a material."""

THINGS_ABOVE = (9.0, 24.0)
"""The same up and down, where pieces of things have lost their place."""

LONE = 2.5
"""Usual deviations beyond which a spot is no longer part of a texture."""

ODD = 1.6
"""Contrast against the swatch's usual one beyond which a spot is not of its material."""

ENOUGH = 0.1
"""Share of places that must be left to cut blocks from before one is picky."""


def weave(
    side: Side,
    swatch: Swatch,
    target: npt.NDArray[np.float32],
    rng: np.random.Generator,
    tick: Callable[[float], None],
) -> npt.NDArray[np.float32] | None:
    """Texture in the colours of ``target``; None where there is nothing to learn it from."""
    if not side.is_lateral:
        quilt = _prepare_relief(swatch.known, swatch.blocked, swatch.block, side.rows // 4)
        if not quilt.choice:
            return None
        return target + quilt.cover(np.zeros_like(target), target, rng, tick)
    quilt = Quilt(
        swatch.known, swatch.known, swatch.blocked, block=swatch.block, reach=side.rows // 16
    )
    if not quilt.choice:
        return None
    quilted = quilt.cover(target, target, rng, tick)
    return target + quilted - _blur(quilted, swatch.block / 3)


def find_fade(
    side: Side, swatch: Swatch, relief: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """How far ``relief`` should give way to a quiet fill, 0 to 1, (rows, depth, 1).

    Pieces of things repeated over a distance look wrong, so they fade with the distance;
    materials stay. What is not trusted, or was used over and over, fades as a whole.
    """
    contrast = _measure_contrast(relief, swatch.block / 2)[:, :, None]
    low, high = THINGS_ASIDE if side.is_lateral else THINGS_ABOVE
    things = np.clip((contrast - low) / (high - low), 0, 1)
    away = np.arange(relief.shape[1], dtype=np.float32)[None, :, None]
    far = np.clip(away / (side.rows / 8), 0, 1)
    # what must be repeated many times is better given up early
    patience = 0.5 if side.is_banner else 2
    worn = np.clip((away / swatch.width - patience) / (2 * patience), 0, 1)
    if not side.is_lateral:
        worn[:] = 0  # there is the whole length of the border to choose from
    fade = 1 - (1 - (0.7 if side.is_lateral else 0.9) * things) * swatch.trust
    return np.asarray(1 - (1 - fade * far) * (1 - worn), dtype=np.float32)


def _prepare_relief(
    known: npt.NDArray[np.float32], blocked: npt.NDArray[np.bool_], block: int, reach: int
) -> Quilt:
    """A quilt of what stands out from ``known``, without the things in it if possible."""
    relief = _find_relief(known, block / 4)
    # the relief next to a subject knows of the subject
    size = 2 * (block // 4) + 1
    near = cv2.dilate(blocked.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    if near.all():
        return Quilt(relief, known, near, block=block, reach=reach)
    contrast = _measure_contrast(relief, block / 4)
    odd = contrast > ODD * np.median(contrast[~near])
    quilt = Quilt(relief, known, near | odd, block=block, reach=reach)
    if quilt.choice > ENOUGH:
        return quilt
    return Quilt(relief, known, near, block=block, reach=reach)


def _measure_contrast(relief: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    return np.asarray(np.sqrt(_blur((relief**2).mean(axis=2), sigma)), dtype=np.float32)


def _find_relief(known: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """What is finer than ``sigma``; a lone edge or spot stands out no more than the texture."""
    relief = known - _blur(known, sigma)
    usual = max(1.0, 1.48 * float(np.median(np.abs(relief))))
    return np.asarray(np.clip(relief, -LONE * usual, LONE * usual), dtype=np.float32)


def _blur(colours: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Gaussian, on a small copy when it is wide."""
    rows, columns = colours.shape[:2]
    scale = max(1, int(sigma / 4))
    size = (-(-columns // scale), -(-rows // scale))
    small = cv2.resize(np.ascontiguousarray(colours), size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / scale, borderType=cv2.BORDER_REFLECT)
    soft = cv2.resize(soft, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(soft, dtype=np.float32).reshape(colours.shape)
