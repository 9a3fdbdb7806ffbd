"""Finds lines of text: rows of blobs of one height that stand side by side.

Rows of windows, pickets and ornaments look the same; the answer is fit for keeping more of a
picture, never for cutting. Upright, roughly horizontal lines only.
"""

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.geometry import UNIT, Box

HEIGHT_OF_LETTERS = 0.012, 0.2  # of the picture's height
SHAPE_OF_LETTERS = 0.1, 1.6  # width over height: from l to W
RATIO_OF_NEIGHBOURS = 0.6, 1.7  # heights of two letters in one line: x beside l
LETTERS_OF_A_LINE = 5
MOST_LETTERS = 1200  # a picture with more is busy all over; bounds the pairs looked at
MOST_BLOCKS = 6


def find_text(grey: npt.NDArray[np.uint8]) -> tuple[Box, ...]:
    """Return blocks of text lines in fractions, at most MOST_BLOCKS, from the top down."""
    letters = _find_letters(grey)
    if len(letters) < LETTERS_OF_A_LINE:
        return ()
    rows = _label(_link(letters))
    lines = [letters[rows == row] for row in np.unique(rows)]
    readable = [line for line in lines if _reads(line)]
    return _merge(readable, grey.shape) if readable else ()


def _find_letters(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    height, width = grey.shape
    finder = cv2.MSER.create(delta=5, min_area=30, max_area=max(31, height * width // 100))
    _, found = finder.detectRegions(grey)
    boxes = np.asarray(found, np.float32).reshape(-1, 4)  # (n, left top width height)
    shape, tall = boxes[:, 2] / boxes[:, 3], boxes[:, 3] / height
    plausible = _between(shape, SHAPE_OF_LETTERS) & _between(tall, HEIGHT_OF_LETTERS)
    letters = np.unique(boxes[plausible], axis=0)
    largest_first = np.argsort(-letters[:, 3], kind="stable")
    return letters[largest_first[:MOST_LETTERS]]


def _link(letters: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Say for each pair whether both may be neighbours in one line."""
    left, top, width, height = letters.T
    bottom, right = top + height, left + width
    follows = (left > (left + 0.2 * width)[:, None]) & ((left - right[:, None]) < height[:, None])
    level = np.abs(bottom - bottom[:, None]) < 0.35 * height[:, None]
    linked = follows & level & _between(height / height[:, None], RATIO_OF_NEIGHBOURS)
    return np.asarray(linked | linked.T, np.bool_)


def _between(values: npt.NDArray[np.float32], limits: tuple[float, float]) -> npt.NDArray[np.bool_]:
    return (limits[0] < values) & (values < limits[1])


def _label(linked: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Give all that hangs together the same number."""
    count = len(linked)
    labels = np.arange(count)
    while True:
        nearest = np.minimum(labels, np.where(linked, labels, count).min(axis=1))
        nearest = nearest[nearest]
        if np.array_equal(nearest, labels):
            return labels
        labels = nearest


def _reads(line: npt.NDArray[np.float32]) -> bool:
    tall = float(line[:, 3].mean())
    places = np.unique(np.round(line[:, 0] / (0.4 * tall))).size
    return places >= LETTERS_OF_A_LINE and float(line[:, 3].std()) < 0.3 * tall


def _merge(lines: list[npt.NDArray[np.float32]], shape: tuple[int, ...]) -> tuple[Box, ...]:
    """Join lines that nearly touch, then ever more distant ones until few blocks are left."""
    height, width = shape
    mask = np.zeros((height, width), np.uint8)
    for line in lines:
        left, top = line[:, 0].min(), line[:, 1].min()
        right, bottom = (line[:, 0] + line[:, 2]).max(), (line[:, 1] + line[:, 3]).max()
        gap = 0.6 * float(line[:, 3].mean())
        cv2.rectangle(
            mask,
            (int(left - gap), int(top - gap)),
            (int(right + gap), int(bottom + gap)),
            color=255,
            thickness=cv2.FILLED,
        )
    while True:
        count, _, found, _ = cv2.connectedComponentsWithStats(mask)
        if count - 1 <= MOST_BLOCKS:
            break
        mask = np.asarray(cv2.dilate(mask, np.ones((9, 9), np.uint8)), np.uint8)
    boxes = [
        Box(float(x), float(y), float(x + wide), float(y + tall)) for x, y, wide, tall, _ in found
    ]
    return tuple(box.scaled(1 / width, 1 / height).intersection(UNIT) for box in boxes[1:])
