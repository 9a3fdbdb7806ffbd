"""Latents that the VAE has made, kept for those who ask again."""

from collections import OrderedDict

import torch


class Encodings:
    """Those used last, by the digest of the view that they encode."""

    def __init__(self, most: int) -> None:
        """Keep ``most`` of them, at least 1, on whatever device they are."""
        self._most = most
        self._kept: OrderedDict[bytes, torch.Tensor] = OrderedDict()

    def get(self, digest: bytes) -> torch.Tensor | None:
        """Latents (4, h, w), or None where they were never made or are forgotten."""
        latents = self._kept.get(digest)
        if latents is not None:
            self._kept.move_to_end(digest)
        return latents

    def keep(self, digest: bytes, latents: torch.Tensor) -> torch.Tensor:
        """Remember and return a copy; what was not used for longest is forgotten."""
        # a row of a batch would keep the whole batch in memory
        copy = self._kept[digest] = latents.clone()
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return copy
