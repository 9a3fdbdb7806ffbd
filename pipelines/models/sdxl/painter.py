"""The painter: patches of one kind go in together, painted pictures come out."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn import functional

from pipelines.models.audience import Audience
from pipelines.models.device import Device
from pipelines.models.sdxl.autoencoder import Autoencoder
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.denoise import Row, denoise, tell_sizes
from pipelines.models.sdxl.mask import measure_hold, pick_cells, widen_mask
from pipelines.models.sdxl.patch import Kind, Patch
from pipelines.models.sdxl.prompt import PromptEncoder
from pipelines.models.sdxl.recipe import Recipe
from pipelines.models.sdxl.schedule import Schedule, make_schedule

COLOUR_SCALE = 4
"""The pre-fill is encoded this many times smaller: only its broad colours outlast the noise."""


class Painter:
    """The models' one user; called from one thread only."""

    def __init__(self, components: Components, device: Device) -> None:
        """Share the components, which are on the device."""
        self.components = components
        self._device = device
        self._encode_prompt = PromptEncoder(components, device)
        self._autoencoder = Autoencoder(components, device)
        self._schedule_for = lru_cache(self._make_schedule)

    def __call__(self, patches: Sequence[Patch], audience: Audience) -> dict[int, Image.Image]:
        """Paint patches of one kind; each turns out as it would alone.

        Returns the pictures by number; those of the audience who left get none.

        Raises:
            ModelError: the device could not do it.
        """
        assert len({patch.kind for patch in patches}) == 1
        with self._device.working():
            rows = self.prepare(patches)
            present, latents = self.denoise(rows, patches[0].recipe, audience)
            pictures = self._autoencoder.decode(latents) if present else []
        return dict(zip(present, pictures, strict=True))

    def denoise(
        self, rows: Sequence[Row], recipe: Recipe, audience: Audience
    ) -> tuple[list[int], torch.Tensor]:
        """Who stayed to the end, and their painted latents (B, 4, h, w)."""
        schedule = self._schedule_for(recipe)
        return denoise(self.components.unet, rows, schedule, recipe, audience)

    def prepare(self, patches: Sequence[Patch]) -> list[Row]:
        """What each patch brings into the loop; the VAE encodes all of them at once."""
        size, recipe = Kind(*patches[0].kind)
        masks = [self._widen(patch) for patch in patches]
        cells = [pick_cells(mask, self.components.cell) for mask in masks]
        pixels = torch.stack([self._autoencoder.upload(patch.picture) for patch in patches])
        known = torch.stack([self._place(mask == 0) for mask in masks])
        masked = self._autoencoder.encode(pixels * known)
        tints = self._encode_colours(patches) if recipe.carries_colour else masked * 0
        return [
            Row(
                noise=self._device.upload(patch.noise[0]),
                sizes=self._device.upload(tell_sizes(size)),
                prompt=self._encode_prompt(patch.prompt),
                negative=self._encode_prompt.absence(),
                masked=masked[number],
                mask=self._place(cells[number]),
                hold=self._place(measure_hold(cells[number], recipe.ramp)),
                tint=tints[number],
            )
            for number, patch in enumerate(patches)
        ]

    def _make_schedule(self, recipe: Recipe) -> Schedule:
        training = self.components.training
        return make_schedule(training, recipe.steps, recipe.spacing, self._device)

    def _widen(self, patch: Patch) -> npt.NDArray[np.uint8]:
        return widen_mask(np.asarray(patch.mask), patch.recipe.overlap, self.components.cell)

    def _place(self, levels: npt.NDArray[Any]) -> torch.Tensor:
        """A plane (1, H, W), float32 on the device."""
        return self._device.upload(torch.from_numpy(levels.astype(np.float32))[None])

    def _encode_colours(self, patches: Sequence[Patch]) -> torch.Tensor:
        """Latents (B, 4, h, w) of the pictures' broad colours, at a fraction of the work."""
        width, height = patches[0].picture.size
        small = (width // COLOUR_SCALE, height // COLOUR_SCALE)
        copies = [patch.picture.resize(small, Image.Resampling.BOX) for patch in patches]
        pixels = torch.stack([self._autoencoder.upload(copy) for copy in copies])
        cell = self.components.cell
        return functional.interpolate(
            self._autoencoder.encode(pixels), size=(height // cell, width // cell), mode="bilinear"
        )
