"""Between pixels and latents: the VAE as the outpainter uses it."""

import numpy as np
import torch
from PIL import Image

from pipelines.models.device import Device
from pipelines.models.sdxl.components import Components


class Autoencoder:
    """Encodes and decodes batches; call inside ``device.working()``."""

    def __init__(self, components: Components, device: Device) -> None:
        """Share the components' VAE."""
        self._vae = components.vae
        self._device = device
        self._scale: float = self._vae.config.scaling_factor

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Latents (B, 4, H/8, W/8), float32, of ``pixels`` (B, 3, H, W) between -1 and 1.

        The mean of what the encoder deems possible, not a sample: the spread is far below what
        is seen, and the latents of a picture do not depend on anybody's seed.
        """
        mean: torch.Tensor = self._vae.encode(pixels.to(self._vae.dtype)).latent_dist.mode()
        return mean.float() * self._scale

    def decode(self, latents: torch.Tensor) -> list[Image.Image]:
        """RGB pictures of ``latents`` (B, 4, h, w)."""
        scaled = (latents / self._scale).to(self._vae.dtype)
        pixels: torch.Tensor = self._vae.decode(scaled, return_dict=False)[0]
        levels = ((pixels.float() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
        # three bytes a pixel leave the device, not twelve
        arrays = levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
        return [Image.fromarray(array) for array in arrays]

    def upload(self, picture: Image.Image) -> torch.Tensor:
        """Pixels (3, H, W) between -1 and 1 of an RGB picture, float32 on the device."""
        levels = self._device.upload(torch.from_numpy(np.array(picture)))
        return levels.permute(2, 0, 1).float() / 127.5 - 1
