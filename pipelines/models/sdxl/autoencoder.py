"""Between pixels and latents: the VAE as the painter uses it."""

from collections.abc import Sequence

import torch

from pipelines.geometry import Size
from pipelines.models.device import Device
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.encodings import Encodings
from pipelines.models.sdxl.tiles import Tiling
from pipelines.models.sdxl.view import View

REMEMBERED = 64
"""Encodings kept; each takes about 0.3 MB of device memory per MP."""

THRIFT = 2
"""Where memory is short, tiles of the native side divided by this are decoded."""

OVERLAP = 4
"""These tiles overlap by their side divided by this, or more."""


class Autoencoder:
    """Encodes and decodes batches; call inside ``device.working()``."""

    def __init__(self, components: Components, device: Device) -> None:
        """Share the components' VAE."""
        self._vae = components.vae
        self._device = device
        self._scale: float = self._vae.config.scaling_factor
        self._cell, self._native = components.cell, components.native
        self._encodings = Encodings(REMEMBERED)

    def encode(self, views: Sequence[View], *, thrifty: bool = False) -> list[torch.Tensor]:
        """Latents (4, H/8, W/8), float32, of each view; they are of one size.

        What was encoded lately is remembered, and not encoded again. The latents are the mean of
        what the encoder deems possible, not a sample: the spread is far below what is seen, and
        the latents of a picture do not depend on anybody's seed. ``thrifty`` encodes one at a
        time.
        """
        digests = [view.digest for view in views]
        found = {digest: self._encodings.get(digest) for digest in digests}
        fresh = {key: view for key, view in zip(digests, views, strict=True) if found[key] is None}
        if fresh:
            pixels = torch.stack([self._upload(view) for view in fresh.values()])
            parts = torch.split(pixels, 1 if thrifty else len(pixels))
            made = torch.cat([self._encode(part) for part in parts])
            for digest, row in zip(fresh, made, strict=True):
                found[digest] = self._encodings.keep(digest, row)
        return [latents for digest in digests if (latents := found[digest]) is not None]

    def decode(self, latents: torch.Tensor, *, thrifty: bool = False) -> torch.Tensor:
        """Levels (B, 3, H, W), float32 from 0 to 255, of ``latents`` (B, 4, h, w).

        ``thrifty`` decodes one at a time, and that one tile by tile.
        """
        if thrifty:
            pixels = torch.cat([self._decode_tiles(row) for row in torch.split(latents, 1)])
        else:
            pixels = self._decode(latents)
        return (pixels / 2 + 0.5).clamp(0, 1) * 255

    def _encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Latents (B, 4, h, w), float32, of ``pixels`` (B, 3, H, W)."""
        mean: torch.Tensor = self._vae.encode(pixels.to(self._vae.dtype)).latent_dist.mode()
        return mean.float() * self._scale

    def _upload(self, view: View) -> torch.Tensor:
        """Pixels (3, H, W) from -1 to 1, 0 where not known; four bytes a pixel cross over."""
        levels = self._device.upload(torch.from_numpy(view.levels)).permute(2, 0, 1)
        known = self._device.upload(torch.from_numpy(view.known))
        return (levels.float() / 127.5 - 1) * known

    def _decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pixels (B, 3, H, W), about -1 to 1, float32."""
        scaled = (latents / self._scale).to(self._vae.dtype)
        pixels: torch.Tensor = self._vae.decode(scaled, return_dict=False)[0]
        return pixels.float()

    def _decode_tiles(self, latents: torch.Tensor) -> torch.Tensor:
        """The same in less memory; tiles do not know of one another's colours, and fade over."""
        cell = self._cell
        width, height = latents.shape[3] * cell, latents.shape[2] * cell
        side = self._native // THRIFT
        tiling = Tiling.cover(Size(width, height), side, side // OVERLAP, cell)
        whole = latents.new_zeros(len(latents), 3, height, width)
        for box, weights in zip(tiling.boxes, tiling.weights, strict=True):
            rows = slice(box.top // cell, box.bottom // cell)
            columns = slice(box.left // cell, box.right // cell)
            pixels = self._decode(latents[..., rows, columns])
            pixels *= self._device.upload(torch.from_numpy(weights.down))[:, None]
            pixels *= self._device.upload(torch.from_numpy(weights.across))
            whole[..., box.top : box.bottom, box.left : box.right] += pixels
        return whole
