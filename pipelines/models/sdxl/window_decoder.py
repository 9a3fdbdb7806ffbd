"""From painted latents to pictures; what is known of them already is not decoded."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from pipelines.geometry import PixelBox, Size
from pipelines.models.device import Device
from pipelines.models.sdxl.autoencoder import Autoencoder
from pipelines.models.sdxl.windows import fade_into

Pixels = npt.NDArray[np.uint8]


class WindowDecoder:
    """Decodes windows of one shape together; call inside ``device.working()``."""

    def __init__(self, autoencoder: Autoencoder, device: Device, cell: int) -> None:
        """``cell`` is the side in px of what one latent covers."""
        self._autoencoder = autoencoder
        self._device = device
        self._cell = cell

    def __call__(
        self,
        latents: torch.Tensor,
        pictures: Sequence[Image.Image],
        windows: Sequence[Sequence[PixelBox]],
        *,
        thrifty: bool = False,
    ) -> list[Image.Image]:
        """The RGB ``pictures`` with their ``windows``, in cells, decoded from ``latents``.

        ``latents`` is (B, 4, h, w). Toward its inner sides a window fades into the picture given.
        """
        canvases = [np.array(picture) for picture in pictures]
        alike: defaultdict[Size, list[tuple[int, PixelBox]]] = defaultdict(list)
        for number, boxes in enumerate(windows):
            for box in boxes:
                alike[box.size].append((number, box))
        for places in alike.values():
            parts = [
                latents[number, :, box.top : box.bottom, box.left : box.right]
                for number, box in places
            ]
            levels = self._autoencoder.decode(torch.stack(parts), thrifty=thrifty)
            spots = [self._find(canvases[number], box) for number, box in places]
            if levels.shape[2:] != canvases[0].shape[:2]:
                rows, columns = latents.shape[2:]
                levels = self._blend(levels, spots, [box for _, box in places], (columns, rows))
            for spot, seen in zip(spots, self._download(levels), strict=True):
                spot[:] = seen
        return [Image.fromarray(canvas) for canvas in canvases]

    def _find(self, canvas: Pixels, box: PixelBox) -> Pixels:
        """What a window shows of the canvas (H, W, 3), to be written to."""
        left, top, right, bottom = (side * self._cell for side in box)
        return canvas[top:bottom, left:right]

    def _blend(
        self,
        levels: torch.Tensor,
        spots: Sequence[Pixels],
        boxes: Sequence[PixelBox],
        cells: tuple[int, int],
    ) -> torch.Tensor:
        known = [self._device.upload(torch.from_numpy(spot)).permute(2, 0, 1) for spot in spots]
        fades = [fade_into(box, *cells, self._cell) for box in boxes]
        down = np.stack([fade.down for fade in fades])
        across = np.stack([fade.across for fade in fades])
        share = self._device.upload(torch.from_numpy(down))[:, None, :, None]
        share = share * self._device.upload(torch.from_numpy(across))[:, None, None]
        return torch.lerp(torch.stack(known).float(), levels, share)

    @staticmethod
    def _download(levels: torch.Tensor) -> npt.NDArray[np.uint8]:
        """As (B, H, W, 3); three bytes a pixel leave the device, not twelve."""
        rounded = levels.round().to(torch.uint8).permute(0, 2, 3, 1)
        return np.asarray(rounded.contiguous().cpu().numpy())
