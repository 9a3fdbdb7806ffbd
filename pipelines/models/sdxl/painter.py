"""The painter: patches of one kind go in together, painted pictures come out."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.nn import functional

from pipelines.geometry import PixelBox
from pipelines.models.audience import Audience
from pipelines.models.device import Device
from pipelines.models.sdxl.autoencoder import Autoencoder
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.denoise import Row, denoise, tell_sizes
from pipelines.models.sdxl.ground import Ground
from pipelines.models.sdxl.patch import Patch
from pipelines.models.sdxl.prompt import PromptEncoder
from pipelines.models.sdxl.recipe import Recipe
from pipelines.models.sdxl.schedule import Schedule, make_schedule
from pipelines.models.sdxl.window_decoder import WindowDecoder


class Painter:
    """The models' one user; called from one thread only."""

    def __init__(self, components: Components, device: Device, *, windows: bool = True) -> None:
        """Share the components, which are on the device.

        With ``windows``, what is far from any new area is not decoded, but left as it was given.
        """
        self.components = components
        self._device = device
        self._windows = windows
        self._encode_prompt = PromptEncoder(components, device)
        self._autoencoder = Autoencoder(components, device)
        self._decode = WindowDecoder(self._autoencoder, device, components.cell)
        self._schedule_for = lru_cache(self._make_schedule)

    def __call__(
        self, patches: Sequence[Patch], audience: Audience, *, thrifty: bool = False
    ) -> dict[int, Image.Image]:
        """Paint patches of one kind; each turns out as it would alone.

        Returns the pictures by number; those of the audience who left get none. ``thrifty`` takes
        less memory and more time: the VAE sees one picture at a time and decodes it in tiles.

        Raises:
            ModelError: the device could not do it.
        """
        assert len({patch.kind for patch in patches}) == 1
        patches = [patch.grounded(self.components.cell) for patch in patches]
        with self._device.working():
            rows = self.prepare(patches, thrifty=thrifty)
            present, latents = self.denoise(rows, patches[0].recipe, audience)
            pictures = self._decode(
                latents,
                [patches[number].picture for number in present],
                [self._choose_windows(patches[number]) for number in present],
                thrifty=thrifty,
            )
        return dict(zip(present, pictures, strict=True))

    def denoise(
        self, rows: Sequence[Row], recipe: Recipe, audience: Audience
    ) -> tuple[list[int], torch.Tensor]:
        """Who stayed to the end, and their painted latents (B, 4, h, w)."""
        schedule = self._schedule_for(recipe)
        return denoise(self.components.unet, rows, schedule, recipe, audience)

    def prepare(self, patches: Sequence[Patch], *, thrifty: bool = False) -> list[Row]:
        """What each patch brings into the loop; the VAE encodes all of them at once."""
        size, _ = patches[0].kind
        grounds = [patch.lay_ground(self.components.cell) for patch in patches]
        masked = self._autoencoder.encode([ground.known for ground in grounds], thrifty=thrifty)
        tints = self._tint(grounds, masked[0], thrifty=thrifty)
        return [
            Row(
                noise=self._device.upload(patch.noise),
                sizes=self._device.upload(tell_sizes(size)),
                prompt=self._encode_prompt(patch.prompt),
                negative=self._encode_prompt.absence(),
                masked=masked[number],
                mask=self._place(grounds[number].cells),
                hold=self._place(grounds[number].hold),
                tint=tints[number],
            )
            for number, patch in enumerate(patches)
        ]

    def _make_schedule(self, recipe: Recipe) -> Schedule:
        return make_schedule(self.components.training, recipe, self._device)

    def _choose_windows(self, patch: Patch) -> tuple[PixelBox, ...]:
        """What is to be decoded, in cells."""
        cell = self.components.cell
        if self._windows:
            return patch.lay_ground(cell).windows
        size = patch.kind.size
        return (PixelBox(0, 0, size.width // cell, size.height // cell),)

    def _place(self, levels: npt.NDArray[Any]) -> torch.Tensor:
        """A plane (1, H, W), float32 on the device."""
        return self._device.upload(torch.from_numpy(levels.astype(np.float32))[None])

    def _tint(
        self, grounds: Sequence[Ground], latents: torch.Tensor, *, thrifty: bool
    ) -> list[torch.Tensor]:
        """What lies below the first noise: latents like the given ones (4, h, w) for each patch."""
        views = [ground.below for ground in grounds if ground.below]
        if not views:
            return [torch.zeros_like(latents) for _ in grounds]
        tints = self._autoencoder.encode(views, thrifty=thrifty)
        cells = latents.shape[1:]
        if tints[0].shape[1:] == cells:
            return tints
        return list(functional.interpolate(torch.stack(tints), size=cells, mode="bilinear"))
