"""The SDXL outpainter: a canvas goes in, a picture painted by the model comes out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn import functional

from pipelines.canvas import Canvas
from pipelines.engine import Mode
from pipelines.models.autoencoder import Autoencoder
from pipelines.models.buckets import Fit, choose_bucket
from pipelines.models.components import Components
from pipelines.models.denoise import Row, denoise, make_noise, tell_sizes
from pipelines.models.device import Device
from pipelines.models.mask import measure_hold, pick_cells, widen_mask
from pipelines.models.prefill import fill_blurred
from pipelines.models.prompt import PromptEncoder
from pipelines.models.recipe import RECIPES, Recipe
from pipelines.models.schedule import make_schedule
from pipelines.progress import Progress, Step

COLOUR_SCALE = 4
"""The pre-fill is encoded this many times smaller: only its broad colours outlast the noise."""


@dataclass(frozen=True, slots=True)
class Painting:
    """One canvas, what to paint on it, and the seed of its noise."""

    canvas: Canvas
    prompt: str
    seed: int


class SdxlOutpainter:
    """Paints on one device; one call at a time."""

    def __init__(
        self,
        components: Components,
        device: Device,
        recipe: Recipe = RECIPES[Mode.BALANCED],
        *,
        prefill: Callable[[Canvas], Image.Image] = fill_blurred,
    ) -> None:
        """``prefill`` gives each canvas's new area its first colours."""
        self.recipe = recipe
        self._components = components
        self._device = device
        self._prefill = prefill
        self._encode_prompt = PromptEncoder(components, device)
        self._autoencoder = Autoencoder(components, device)
        self._schedule = make_schedule(components.training, recipe.steps, recipe.spacing, device)

    def __call__(
        self, canvas: Canvas, *, prompt: str, seed: int, progress: Progress
    ) -> Image.Image:
        """Return RGB of the canvas's size; inside ``place`` it is the source as the model sees it.

        Raises:
            ModelError: the device could not do it.
        """
        painting = Painting(canvas, prompt, seed)
        (picture,) = self.paint([painting], partial(progress, Step.OUTPAINT))
        return picture

    def paint(
        self, paintings: Sequence[Painting], tick: Callable[[float], None]
    ) -> list[Image.Image]:
        """Paint canvases of one bucket together; each turns out as it would alone.

        ``tick`` hears the share done between the steps and may raise to stop them all.
        """
        fits = [self.fit(painting.canvas) for painting in paintings]
        assert len({fit.bucket for fit in fits}) == 1
        with self._device.working():
            latents = self.denoise(self.prepare(paintings, fits), tick)
            pictures = self._autoencoder.decode(latents)
        return [fit.shrink(picture) for fit, picture in zip(fits, pictures, strict=True)]

    def fit(self, canvas: Canvas) -> Fit:
        """How a canvas is laid out for the model; those of one bucket can be painted together."""
        return Fit.make(canvas.size, choose_bucket(canvas.size, self._components.native))

    def denoise(self, rows: Sequence[Row], tick: Callable[[float], None]) -> torch.Tensor:
        """The rows' painted latents (B, 4, h, w)."""
        return denoise(self._components.unet, rows, self._schedule, self.recipe, tick)

    def prepare(self, paintings: Sequence[Painting], fits: Sequence[Fit]) -> list[Row]:
        """What each canvas brings into the loop; the VAE encodes all of them at once."""
        canvases = [painting.canvas for painting in paintings]
        pairs = list(zip(canvases, fits, strict=True))
        pictures = [fit.enlarge(self._prefill(canvas)) for canvas, fit in pairs]
        masks = [self._widen(fit.enlarge_mask(canvas.mask)) for canvas, fit in pairs]
        cells = [pick_cells(mask, self._components.cell) for mask in masks]
        pixels = torch.stack([self._autoencoder.upload(picture) for picture in pictures])
        known = torch.stack([self._place(mask == 0) for mask in masks])
        masked = self._autoencoder.encode(pixels * known)
        tints = self._encode_colours(pictures) if self.recipe.carries_colour else masked * 0
        return [
            Row(
                noise=self._device.upload(make_noise(painting.seed, masked.shape[1:])),
                sizes=self._device.upload(tell_sizes(fits[number].bucket)),
                prompt=self._encode_prompt(painting.prompt),
                negative=self._encode_prompt.absence(),
                masked=masked[number],
                mask=self._place(cells[number]),
                hold=self._place(measure_hold(cells[number], self.recipe.ramp)),
                tint=tints[number],
            )
            for number, painting in enumerate(paintings)
        ]

    def _widen(self, mask: Image.Image) -> npt.NDArray[np.uint8]:
        return widen_mask(np.asarray(mask), self.recipe.overlap, self._components.cell)

    def _place(self, levels: npt.NDArray[Any]) -> torch.Tensor:
        """A plane (1, H, W), float32 on the device."""
        return self._device.upload(torch.from_numpy(levels.astype(np.float32))[None])

    def _encode_colours(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        """Latents (B, 4, h, w) of the pictures' broad colours, at a fraction of the work."""
        width, height = pictures[0].size
        small = (width // COLOUR_SCALE, height // COLOUR_SCALE)
        copies = [picture.resize(small, Image.Resampling.BOX) for picture in pictures]
        pixels = torch.stack([self._autoencoder.upload(copy) for copy in copies])
        cell = self._components.cell
        return functional.interpolate(
            self._autoencoder.encode(pixels), size=(height // cell, width // cell), mode="bilinear"
        )
