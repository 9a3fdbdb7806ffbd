"""The SDXL refiner: what was painted small and enlarged gets its detail at the output's size."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from pipelines.engine import Mode, Painting
from pipelines.geometry import PixelBox
from pipelines.models.sdxl.denoise import make_noise
from pipelines.models.sdxl.fan_out import fan_out
from pipelines.models.sdxl.mask import fade_mask, widen_mask
from pipelines.models.sdxl.outpainter import Paint
from pipelines.models.sdxl.patch import Patch
from pipelines.models.sdxl.recipe import Recipe
from pipelines.models.sdxl.stitch import keep_colours, lay_over, stitch
from pipelines.models.sdxl.tiles import Tiling, Weights
from pipelines.models.sdxl.windows import choose_windows
from pipelines.progress import Progress, Step

Pixels = npt.NDArray[np.uint8]

GRID = 64
"""The canvas is padded to a multiple of this, px, so that shapes repeat."""

UNTILED = 3
"""Native areas up to which a window is refined in one piece, which costs less than its tiles."""

OVERLAP = 8
"""Tiles overlap by the native side divided by this, or more."""

BROAD = 32
"""Colours over more px than the native side divided by this stay the draft's: it has the tone."""


class SdxlRefiner:
    """Adds detail at low strength; may be called from several threads if ``paint`` may."""

    def __init__(
        self,
        paint: Paint,
        *,
        native: int,
        cell: int,
        recipes: Mapping[Mode, Recipe],
        workers: int = 1,
    ) -> None:
        """``native`` and ``cell`` are the model's, px; ``recipes`` have a strength below 1.

        ``workers`` tiles are painted at the same time: more than 1 only if ``paint`` may be
        called from several threads.
        """
        self._paint = paint
        self._native, self._cell = native, cell
        self._recipes = recipes
        self._workers = workers

    def __call__(self, painting: Painting, progress: Progress) -> Image.Image:
        """Return the canvas's picture, RGB, with its new area refined.

        That picture is the draft: it counts below the mask, too. Outside the new area and a
        narrow band around it, it comes back as it was, pixel for pixel.

        Raises:
            ModelError: the device could not do it.
        """
        sheet = _Sheet.lay_out(painting, self._recipes[painting.mode], self._cell)
        tiles = chain.from_iterable(map(self._tile, sheet.windows))
        touched = [(box, weights) for box, weights in tiles if sheet.is_new(box)]
        patches = [sheet.cut(box) for box, _ in touched]
        pictures = fan_out(self._paint, patches, partial(progress, Step.REFINE), self._workers)
        change = stitch(sheet.draft, touched, pictures)
        share = fade_mask(sheet.new, sheet.wide)
        change = keep_colours(change, share, self._native / BROAD)
        refined = Image.fromarray(lay_over(sheet.draft, change, share))
        return refined.crop((0, 0, *painting.canvas.size))

    def _tile(self, window: PixelBox) -> Iterator[tuple[PixelBox, Weights]]:
        """The patches of one window and how much each of them counts."""
        native, size = self._native, window.size
        if size.area <= UNTILED * native**2:
            tiling = Tiling(size, (0,), (0,))
        else:
            tiling = Tiling.share_out(size, native, native // OVERLAP, self._cell)
        for (left, top, right, bottom), weights in zip(tiling.boxes, tiling.weights, strict=True):
            x, y = window.left, window.top
            yield PixelBox(left + x, top + y, right + x, bottom + y), weights


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """A draft (H, W, 3) on whole cells, to be cut into patches that agree where they overlap.

    ``new`` and ``wide`` (H, W) are the mask and all that is painted; ``noise`` is one field.
    """

    draft: Pixels
    new: Pixels
    wide: Pixels
    noise: torch.Tensor
    prompt: str
    recipe: Recipe
    cell: int

    @classmethod
    def lay_out(cls, painting: Painting, recipe: Recipe, cell: int) -> Self:
        canvas = painting.canvas
        width, height = canvas.size
        padding = ((0, -height % GRID), (0, -width % GRID))
        draft = np.pad(np.asarray(canvas.picture), (*padding, (0, 0)), mode="symmetric")
        # beside what is new, the padding is new, too: a mirror image would be continued
        new = np.pad(np.asarray(canvas.mask), padding, mode="edge")
        rows, columns = new.shape
        return cls(
            draft=draft,
            new=new,
            wide=widen_mask(new, recipe.overlap, cell),
            noise=make_noise(painting.seed, (recipe.noises, 4, rows // cell, columns // cell)),
            prompt=painting.prompt,
            recipe=replace(recipe, overlap=0),
            cell=cell,
        )

    @property
    def windows(self) -> tuple[PixelBox, ...]:
        """The parts that are worth the model's while, px: what is painted and some ground."""
        cells = self.wide[:: self.cell, :: self.cell] > 0  # it is all or nothing in a cell
        return tuple(
            PixelBox(*(side * self.cell for side in window)) for window in choose_windows(cells)
        )

    def is_new(self, box: PixelBox) -> bool:
        return bool(self.new[box.top : box.bottom, box.left : box.right].any())

    def cut(self, box: PixelBox) -> Patch:
        left, top, right, bottom = box
        cells = PixelBox(*(side // self.cell for side in box))
        return Patch(
            picture=Image.fromarray(self.draft[top:bottom, left:right]),
            mask=Image.fromarray(self.wide[top:bottom, left:right]),
            prompt=self.prompt,
            noise=self.noise[..., cells.top : cells.bottom, cells.left : cells.right],
            recipe=self.recipe,
        )
