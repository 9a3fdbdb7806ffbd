"""What of a patch is made ready without the device, while others have it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.geometry import PixelBox
from pipelines.models.sdxl.mask import measure_hold, pick_cells, touch_cells, widen_mask
from pipelines.models.sdxl.recipe import Recipe
from pipelines.models.sdxl.view import View
from pipelines.models.sdxl.windows import choose_windows

COLOUR_SCALE = 4
"""The pre-fill is encoded this many times smaller: only its broad colours outlast the noise."""

Levels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The picture as the VAE is shown it, and where the model paints.

    ``known`` has the new area grey. ``below`` is what lies below the first noise, at its own size
    or smaller; None for nothing. ``cells`` (h, w) are 1 where to paint, ``hold`` (h, w) is the
    share of the steps, 0 to 1, during which the source keeps a cell. ``windows``, in cells, are
    worth decoding.
    """

    known: View
    below: View | None
    cells: Levels
    hold: Levels
    windows: tuple[PixelBox, ...]

    @classmethod
    def lay(
        cls,
        picture: Image.Image,
        mask: Image.Image,
        recipe: Recipe,
        seen: PixelBox | None,
        cell: int,
    ) -> Self:
        """The ground of a patch, see there, for a model of which a latent covers ``cell`` px."""
        new = np.asarray(mask)
        wide = widen_mask(new, recipe.overlap, cell)
        cells = pick_cells(wide, cell)
        ground = cls(
            known=View.through(picture, wide == 0),
            below=_look_below(picture, recipe),
            cells=cells,
            hold=measure_hold(cells, recipe.ramp),
            windows=_find_windows(new, seen, cell),
        )
        for view in filter(None, (ground.known, ground.below)):
            _ = view.digest  # it is kept
        return ground


def _look_below(picture: Image.Image, recipe: Recipe) -> View | None:
    """The picture itself, or its broad colours at a fraction of the work, or nothing."""
    if recipe.strength < 1:
        return View.through(picture)
    if not recipe.carries_colour:
        return None
    small = (picture.width // COLOUR_SCALE, picture.height // COLOUR_SCALE)
    return View.through(picture.resize(small, Image.Resampling.BOX))


def _find_windows(
    new: npt.NDArray[np.uint8], seen: PixelBox | None, cell: int
) -> tuple[PixelBox, ...]:
    """What is to be decoded, in cells; the overlap is well within a window's context."""
    if seen:
        left, top, right, bottom = seen
        wanted = np.zeros_like(new)
        wanted[top:bottom, left:right] = new[top:bottom, left:right]
        new = wanted
    return choose_windows(touch_cells(new, cell))
