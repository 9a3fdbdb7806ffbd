"""The broad colours beyond a side: what a fill would look like without any texture.

Sideways the layers of a picture, sky above and ground below, go on at their own heights; up and
down the colours of the border grow ever softer. Colours are float32, 0 to 255.
"""

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.preview import membrane, rim
from pipelines.preview.side import Side

NEAR = 0.6
"""Of the seam's length: how far layers stay sharp."""


def continue_colours(side: Side, touched: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Continue ``side`` smoothly, (rows, depth, 3); ``touched`` rows (rows,) leave no layer."""
    edge = side.known[:, -max(3, side.rows // 50) :].mean(axis=1)
    if not side.is_lateral:
        return membrane.spread(edge, side.depth, 0.7)
    room = max(rim.measure_room(side.taken), side.rows // 24, 3)
    layers = _find_layers(side.known[:, -min(room, max(3, side.rows // 3)) :])
    layers = _bridge(layers, touched)
    # further away than the photo is high nobody believes in sharp layers: they would be stripes
    near = min(side.depth, int(NEAR * side.rows))
    ground = np.repeat(layers[:, None], near, axis=1)
    if near < side.depth:
        ground = np.hstack([ground, membrane.spread(layers, side.depth - near, 0.25)])
    return ground + membrane.spread(edge - layers, side.depth, 0.6)


def make_grain(side: Side, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Noise as strong as in the calmest parts of the photo, (rows, depth, 1)."""
    luma = np.ascontiguousarray(side.known).mean(axis=2)
    fine = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.0))
    # two fifths of a photo are calm; stronger grain would be seen as noise
    strength = np.float32(min(5.0, 1.2 * np.percentile(fine, 40)))
    return strength * rng.standard_normal((side.rows, side.depth, 1), dtype=np.float32)


def _find_layers(known: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """One colour per row, (rows, 3): thin features vanish, borders of layers stay sharp."""
    middle = np.median(known, axis=1)
    half = max(1, len(middle) // 40)
    padded = np.pad(middle, ((half, half), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0)
    return membrane.blur_profile(np.median(windows, axis=2).astype(np.float32), max(0.7, half / 8))


def _bridge(
    profile: npt.NDArray[np.float32], gaps: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """Replace the rows of ``gaps`` by a blend of their neighbours; all gaps: by the mean."""
    if gaps.all():
        return np.broadcast_to(profile.mean(axis=0), profile.shape)
    rows = np.arange(len(profile))
    channels = [np.interp(rows, rows[~gaps], profile[~gaps, c]) for c in range(3)]
    return np.stack(channels, axis=1).astype(np.float32)
