"""The SDXL outpainter: a canvas goes in, a picture painted by the model comes out."""

from collections.abc import Callable, Mapping
from functools import partial

from PIL import Image

from pipelines.canvas import Canvas
from pipelines.engine import Mode, Painting
from pipelines.models.audience import Tick
from pipelines.models.sdxl.buckets import Fit, choose_bucket
from pipelines.models.sdxl.denoise import make_noise
from pipelines.models.sdxl.growth import grow
from pipelines.models.sdxl.patch import Patch
from pipelines.models.sdxl.prefill import fill_blurred
from pipelines.models.sdxl.recipe import RECIPES, Recipe
from pipelines.progress import Progress, Step

Paint = Callable[[Patch, Tick], Image.Image]
"""Paints one patch, alone or with those of other jobs; called from any thread."""


class SdxlOutpainter:
    """Lays canvases out for the model; may be called from several threads if ``paint`` may."""

    def __init__(
        self,
        paint: Paint,
        *,
        native: int,
        cell: int,
        recipes: Mapping[Mode, Recipe] = RECIPES,
        prefill: Callable[[Canvas], Image.Image] = fill_blurred,
    ) -> None:
        """``native`` and ``cell`` are the model's, px; ``prefill`` gives new areas colours."""
        self._paint = paint
        self._native, self._cell = native, cell
        self._recipes = recipes
        self._prefill = prefill

    def __call__(self, painting: Painting, progress: Progress) -> Image.Image:
        """Return RGB of the canvas's size; inside ``place`` it is the source as the model sees it.

        A canvas with more than one pass is painted outward from its place.

        Raises:
            ModelError: the device could not do it.
        """
        if len(painting.canvas.passes) > 1:
            return grow(painting, progress, self._paint_at_once)
        return self._paint_at_once(painting, progress)

    def _paint_at_once(self, painting: Painting, progress: Progress) -> Image.Image:
        fit = self.fit(painting.canvas)
        painted = self._paint(self.make_patch(painting, fit), partial(progress, Step.OUTPAINT))
        return fit.shrink(painted)

    def fit(self, canvas: Canvas) -> Fit:
        """How a canvas is laid out for the model."""
        return Fit.make(canvas.size, choose_bucket(canvas.size, self._native))

    def make_patch(self, painting: Painting, fit: Fit) -> Patch:
        """The canvas at the model's size."""
        width, height = fit.bucket
        recipe = self._recipes[painting.mode]
        shape = (recipe.noises, 4, height // self._cell, width // self._cell)
        return Patch(
            picture=fit.enlarge(self._prefill(painting.canvas)),
            mask=fit.enlarge_mask(painting.canvas.mask),
            prompt=painting.prompt,
            noise=make_noise(painting.seed, shape),
            recipe=recipe,
            seen=fit.place,
        )
