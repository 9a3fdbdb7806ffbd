"""What the photo looks like where it ends: flatness, calm band, subjects in the way."""

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.preview.lab import to_lab

FLAT = 2.0
"""Differences of neighbours up to this, of 255, are compression noise on a flat colour."""

PLAIN = 5.0
"""A Lab distance within which all of a plain ground lies: noise and soft light, no texture."""

SPECKS = 20
"""One in so many rows of a border is the most that a speck takes."""

FEW = 0.35
"""Share of a border that things on a plain ground may take."""

MATERIAL = 18.0
"""A Lab distance at which the eye sees another material rather than another shade."""


def is_flat(known: npt.NDArray[np.float32]) -> bool:
    """Whether colours hardly change on the way out, as on a studio wall, a logo, a gradient."""
    band = known[:, -max(4, known.shape[1] // 64) :]
    if band.shape[1] == 1:
        return False
    return float(np.percentile(np.abs(np.diff(band, axis=1)).mean(axis=2), 97)) < FLAT


def find_things(known: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_] | None:
    """Where ``known`` (rows, columns, 3) is something else than its plain ground, (rows, columns).

    None where there is nothing of the kind: most of the border must be of one colour without
    texture, as behind a product or a planet, and something must reach it.
    """
    lab = to_lab(known)
    width = max(4, known.shape[1] // 32)
    ground = np.median(lab[:, -width:].reshape(-1, 3), axis=0)
    unlike = np.linalg.norm(lab - ground, axis=2) > PLAIN
    # stars and specks belong to the ground; what remains takes its surroundings with it
    speck = np.ones((max(2, len(known) // SPECKS), 1), np.uint8)
    rows = unlike[:, -width:].any(axis=1).astype(np.uint8)[:, None]
    rows = cv2.morphologyEx(rows, cv2.MORPH_OPEN, speck)
    if not 0 < rows.mean() < FEW:
        return None
    things = np.asarray(unlike, np.bool_)
    things[:, -width:] |= cv2.dilate(rows, speck).astype(np.bool_)
    return things


def measure_calm(known: npt.NDArray[np.float32]) -> int:
    """How many of the last columns are still the material of the border, at least a few."""
    rows, columns = known.shape[:2]
    lab = to_lab(known)
    rough = cv2.absdiff(lab, cv2.blur(lab, (7, 7))).sum(axis=2, keepdims=True)
    lab = np.concatenate([cv2.blur(lab, (5, 5)), 2 * cv2.blur(rough, (9, 9))[:, :, None]], axis=2)
    parts = min(16, rows)
    cuts = np.linspace(0, rows, parts + 1).astype(int)
    strips = np.stack([lab[a:b].mean(axis=0) for a, b in pairwise(cuts)])
    edge = strips[:, -max(3, columns // 60) :].mean(axis=1, keepdims=True)
    away = np.sort(np.linalg.norm(strips - edge, axis=2), axis=0)[parts * 3 // 4 - 1]
    other = np.flatnonzero(away[::-1] > MATERIAL)
    return int(other[0]) if other.size else columns


def find_touched(blocked: npt.NDArray[np.bool_], *, is_cut: bool) -> npt.NDArray[np.bool_]:
    """The rows (rows,) in which a subject reaches the border of ``blocked``'s last column.

    On a side that cuts through a subject these are the rows of any subject, or else all.
    """
    reach = blocked.shape[1] if is_cut else max(2, blocked.shape[1] // 50)
    touched = np.asarray(blocked[:, -reach:].any(axis=1), dtype=np.bool_)
    if is_cut and not touched.any():
        return np.ones_like(touched)
    return touched


def measure_room(blocked: npt.NDArray[np.bool_]) -> int:
    """How many of the last columns lie beyond every subject."""
    taken = np.flatnonzero(blocked.any(axis=0))
    columns = int(blocked.shape[1])
    return columns - 1 - int(taken[-1]) if taken.size else columns
