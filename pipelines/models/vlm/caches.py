"""Where the model keeps what it has read of a prompt, in places that stay from answer to answer."""

from transformers import StaticCache

from pipelines.models.vlm.components import Vlm

STEP = 64
"""Lengths are multiples of this: kernels would pad what is odd, for every layer and token."""


class Caches:
    """One for each number of rows, of one length whatever the pictures.

    What is captured as a graph holds on to addresses: a cache that was made anew for each batch
    would have the graph captured anew, too, and all of them kept. At full size each takes 0.24 GB
    a row.
    """

    def __init__(self, vlm: Vlm, length: int) -> None:
        """``length`` is that of the longest prompt with its answer, in tokens."""
        self._vlm = vlm
        self._length = -(-length // STEP) * STEP
        self._kept: dict[int, StaticCache] = {}

    def lend(self, rows: int) -> StaticCache:
        """An empty one, until the next is lent."""
        if rows not in self._kept:
            config = self._vlm.model.config.get_text_config(decoder=True)
            self._kept[rows] = StaticCache(config=config, max_cache_len=self._length)
        cache = self._kept[rows]
        cache.reset()
        return cache

    def clear(self) -> None:
        """Give their memory back."""
        self._kept.clear()
