"""Smooth continuation of the colours at a seam; it holds no texture and invents none.

All colours are float32, 0 to 255; a profile is (rows, 3), one colour per row of the seam.
"""

import cv2
import numpy as np
import numpy.typing as npt


def spread(profile: npt.NDArray[np.float32], depth: int, slope: float) -> npt.NDArray[np.float32]:
    """Continue ``profile`` over ``depth`` columns, ever softer along the seam.

    The blur grows by ``slope`` px per column, as in a harmonic membrane: small features die out
    close to the seam, broad ones reach far. Returns (rows, depth, 3).
    """
    rows = len(profile)
    levels = [profile]
    sigma = 0.5
    while sigma < min(rows, slope * depth):
        levels.append(blur_profile(profile, sigma))
        sigma *= 2
    stack = np.stack(levels)
    wanted = np.log2(np.maximum(slope * (np.arange(depth) + 0.5), 0.25)) + 2
    wanted = np.clip(wanted, 0, len(levels) - 1)
    lower = np.minimum(wanted.astype(int), max(0, len(levels) - 2))
    upper = np.minimum(lower + 1, len(levels) - 1)
    share = (wanted - lower).astype(np.float32)[:, None, None]
    mixed: npt.NDArray[np.float32] = stack[lower] * (1 - share) + stack[upper] * share
    return mixed.swapaxes(0, 1)


def bend(
    fill: npt.NDArray[np.float32], edge: npt.NDArray[np.float32], reach: float
) -> npt.NDArray[np.float32]:
    """Make ``fill`` (rows, depth, 3) meet the colours ``edge`` (rows, 3) at the seam.

    The correction dies out over ``reach`` px, small features of it sooner.
    """
    depth = fill.shape[1]
    fade = np.exp(-np.arange(depth, dtype=np.float32) / np.float32(reach))
    step = edge - fill[:, :2].mean(axis=1)
    bent: npt.NDArray[np.float32] = fill + spread(step, depth, 0.5) * fade[None, :, None]
    return bent


def blur_profile(profile: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Gaussian along the rows; ends are mirrored."""
    size = 2 * int(3 * sigma + 1) + 1
    blurred = cv2.GaussianBlur(profile[:, None], (1, size), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, dtype=np.float32).reshape(profile.shape)
