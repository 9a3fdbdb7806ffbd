"""Where the model keeps what it has read of a prompt, in places that stay from answer to answer."""

from copy import copy

import torch
from transformers import StaticCache

from pipelines.models.device import Device
from pipelines.models.vlm.components import Vlm

STEP = 64
"""Lengths are multiples of this: kernels would pad what is odd, for every layer and token."""


def measure_length(longest: int) -> int:
    """Tokens that a row has room for, if prompt and answer are ``longest`` at most."""
    return -(-longest // STEP) * STEP


class Caches:
    """One cache, of which fewer rows are the first ones.

    What is captured as a graph holds on to addresses: a cache that was made anew for each batch
    would have the graph captured anew, too, and all of them kept. The memory is taken at once and
    stays what it is: that of the most rows at the greatest length.
    """

    def __init__(self, vlm: Vlm, device: Device, length: int, rows: int) -> None:
        """Take the memory: for ``rows``, each with ``length`` tokens of prompt and answer.

        To be called inside ``device.working()`` if it is to be used there.
        """
        text = vlm.model.config.get_text_config(decoder=True)
        self._whole = StaticCache(config=text, max_cache_len=measure_length(length))
        self._whole.early_initialization(
            batch_size=rows,
            num_heads=text.num_key_value_heads,
            head_dim=text.head_dim,
            dtype=vlm.model.dtype,
            device=device.hardware,
        )
        self._parts = [self._take_rows(part) for part in range(1, rows + 1)]

    def lend(self, rows: int) -> StaticCache:
        """An empty one, until the next is lent."""
        part = self._parts[rows - 1]
        part.reset()
        return part

    def _take_rows(self, rows: int) -> StaticCache:
        part = copy(self._whole)
        part.layers = [copy(layer) for layer in self._whole.layers]
        for layer in part.layers:
            layer.batch_size = rows
            layer.keys, layer.values = layer.keys[:rows], layer.values[:rows]
            for kept in (layer.keys, layer.values):
                torch._dynamo.mark_static_address(kept)  # noqa: SLF001  as the library does
        return part
