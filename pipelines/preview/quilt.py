"""Texture by quilting: blocks of the photo laid so that they fit their neighbours and a target.

After Efros and Freeman, "Image Quilting for Texture Synthesis and Transfer" (2001), with blocks
kept near their own row. A place is found on a small copy and settled at full size. Blocked
pixels are never copied. Colours are float32, 0 to 255, arrays (rows, columns, 3).
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

DETAIL = 8
"""Side of a block on the small copy, px: enough to tell textures apart, small enough to be fast."""

OBEDIENCE = 1.0
"""Weight of looking like the target against fitting the neighbours."""

TOLERANCE = 30.0
"""Squared colour difference that is never worth repeating a block or leaving its row."""


class Quilt:
    """Blocks cut from one source; it remembers which were used, so that few are used twice."""

    def __init__(
        self,
        source: npt.NDArray[np.float32],
        guide: npt.NDArray[np.float32],
        blocked: npt.NDArray[np.bool_],
        *,
        block: int,
        reach: int,
    ) -> None:
        """``source`` is what is copied; ``guide``, of its size, is what a target is compared to.

        ``block``: side of a block, px; ``reach``: px that it may lie away from its own row.
        """
        self._scale = max(1, block // DETAIL)
        self.block = block // self._scale * self._scale
        self.overlap = max(2, self.block // 3)
        self._reach = max(1, reach // self._scale)
        self._full = np.ascontiguousarray(source)
        self._allowed = _find_free(blocked, self.block)
        self._small = _shrink(self._full, self._scale)
        self._guide = _soften(_shrink(guide, self._scale))
        self._coarse = self._allowed[:: self._scale, :: self._scale]
        self._used = np.zeros(self._coarse.shape, np.float32)

    @property
    def choice(self) -> float:
        """The share of places, 0 to 1, where a block is free of blocked pixels."""
        return float(self._coarse.mean())

    def cover(
        self,
        ground: npt.NDArray[np.float32],
        target: npt.NDArray[np.float32],
        rng: np.random.Generator,
        tick: Callable[[float], None],
    ) -> npt.NDArray[np.float32]:
        """Lay blocks over ``ground``, from the source's last columns outwards.

        ``target``, of the same size (rows, depth, 3), says which broad colours are wanted.
        """
        rows, depth = target.shape[:2]
        step = self.block - self.overlap
        columns = -(-depth // step)
        ends = ((0, 0), (self.overlap, columns * step - depth), (0, 0))
        work, wanted = np.pad(ground, ends, mode="edge"), np.pad(target, ends, mode="edge")
        work[:, : self.overlap] = self._full[:, -self.overlap :]
        tops = [*range(0, rows - self.block, step), rows - self.block]
        for column in range(columns):
            tick(column / columns)
            across, end = slice(column * step, column * step + self.block), 0
            for top in tops:
                down = slice(top, top + self.block)
                known = self._mark_known(max(0, end - top))
                corner = self._find(work[down, across], wanted[down, across], known, top, rng)
                _lay(
                    work[down, across],
                    self._settle(work[down, across], known, corner),
                    known,
                    is_first=column == 0,
                )
                end = top + self.block
        return work[:, self.overlap : self.overlap + depth]

    def _mark_known(self, upper: int) -> npt.NDArray[np.float32]:
        known = np.zeros((self.block, self.block, 3), np.float32)
        known[:, : self.overlap] = 1
        known[:upper] = 1
        return known

    def _find(
        self,
        under: npt.NDArray[np.float32],
        wanted: npt.NDArray[np.float32],
        known: npt.NDArray[np.float32],
        top: int,
        rng: np.random.Generator,
    ) -> tuple[int, int]:
        side = self.block // self._scale
        low, high = self._choose_rows(round(top / self._scale))
        area = slice(low, high + side - 1)
        mask = np.sqrt(_shrink(known, self._scale))
        small = _shrink(under, self._scale)
        cost = _compare(self._small[area], small, mask)
        shade = _soften(_shrink(wanted, self._scale))
        cost += OBEDIENCE * _compare(self._guide[area], shade)
        allowed, used = self._coarse[low:high], self._used[low:high]
        cost = cost[: allowed.shape[0], : allowed.shape[1]]
        away = np.abs(np.arange(low, high) - top / self._scale)[:, None] / (self._reach + 1)
        cost += (max(0.0, float(cost[allowed].min())) + TOLERANCE) * (0.3 * away + used)
        cost[~allowed] = np.inf
        good = np.flatnonzero(cost.ravel() <= 1.15 * cost.min() + 4)
        y, x = divmod(int(rng.choice(good)), cost.shape[1])
        y, near = y + low, max(1, side // 3)
        self._used[max(0, y - near) : y + near + 1, max(0, x - near) : x + near + 1] += 1
        return y * self._scale, x * self._scale

    def _choose_rows(self, middle: int) -> tuple[int, int]:
        rows = self._coarse.shape[0]
        reach = self._reach
        low, high = max(0, min(middle, rows - 1) - reach), min(rows, middle + reach + 1)
        while not self._coarse[low:high].any():
            reach *= 2
            low, high = max(0, low - reach), min(rows, high + reach)
        return low, high

    def _settle(
        self,
        under: npt.NDArray[np.float32],
        known: npt.NDArray[np.float32],
        corner: tuple[int, int],
    ) -> npt.NDArray[np.float32]:
        """The block that fits best within a small copy's pixel around ``corner`` (y, x)."""
        (y, x), reach = corner, self._scale
        top, left = max(0, y - reach), max(0, x - reach)
        region = self._full[top : y + reach + self.block, left : x + reach + self.block]
        cost = _compare(region, under, known)
        allowed = self._allowed[top : top + cost.shape[0], left : left + cost.shape[1]]
        cost[~allowed] = np.inf
        down, across = divmod(int(cost.argmin()), cost.shape[1])
        y, x = top + down, left + across
        return self._full[y : y + self.block, x : x + self.block]


def _lay(
    under: npt.NDArray[np.float32],
    block: npt.NDArray[np.float32],
    known: npt.NDArray[np.float32],
    *,
    is_first: bool,
) -> None:
    """Put ``block`` on ``under`` along the line where both differ least."""
    overlap, upper = int(known[-1, :, 0].sum()), int(known[:, -1, 0].sum())
    error = ((block - under) ** 2).sum(axis=2)
    share = np.ones(error.shape, np.float32)
    if not is_first:
        share[:, :overlap] = _cut(error[:, :overlap])
    if upper:
        share[:upper] = np.minimum(share[:upper], _cut(error[:upper].T).T)
    share = cv2.blur(share, (3, 3), borderType=cv2.BORDER_REPLICATE)
    under += share[:, :, None] * (block - under)


def _compare(
    picture: npt.NDArray[np.float32],
    block: npt.NDArray[np.float32],
    mask: npt.NDArray[np.float32] | None = None,
) -> npt.NDArray[np.float32]:
    """Mean squared colour difference of ``block`` at every place, where ``mask`` counts."""
    block = np.ascontiguousarray(block)
    cost = cv2.matchTemplate(picture, block, cv2.TM_SQDIFF, mask=mask)
    weight = block[:, :, 0].size if mask is None else (mask[:, :, 0] ** 2).sum()
    return np.asarray(cost, dtype=np.float32) / np.float32(weight)


def _find_free(blocked: npt.NDArray[np.bool_], block: int) -> npt.NDArray[np.bool_]:
    """Where a block's upper left corner may lie."""
    sums = cv2.integral(blocked.astype(np.uint8))
    taken = sums[block:, block:] - sums[:-block, block:] - sums[block:, :-block]
    return np.asarray(taken + sums[:-block, :-block] == 0)


def _shrink(colours: npt.NDArray[np.float32], scale: int) -> npt.NDArray[np.float32]:
    rows, columns = colours.shape[0] // scale, colours.shape[1] // scale
    whole = np.ascontiguousarray(colours[: rows * scale, : columns * scale])
    small = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


def _soften(colours: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    soft = cv2.GaussianBlur(colours, (0, 0), DETAIL / 4, borderType=cv2.BORDER_REFLECT)
    return np.asarray(soft, dtype=np.float32)


def _cut(error: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """0 to the left of the cheapest path down through ``error`` (length, width), else 1."""
    length, width = error.shape
    total = error.copy()
    before = np.full(width + 2, np.inf, np.float32)
    for row in range(1, length):
        before[1:-1] = total[row - 1]
        total[row] += np.minimum(np.minimum(before[:-2], before[2:]), before[1:-1])
    share = np.ones(error.shape, np.float32)
    x = int(total[-1].argmin())
    for row in range(length - 1, -1, -1):
        share[row, :x] = 0
        low = max(0, x - 1)
        x = low + int(total[max(0, row - 1), low : x + 2].argmin())
    return share
