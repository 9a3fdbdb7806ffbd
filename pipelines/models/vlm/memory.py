"""What was seen in the latest pictures, so that one look serves many jobs."""

import hashlib
from collections import OrderedDict
from threading import Lock

from PIL import Image

from pipelines.composition import Composition

REMEMBERED = 256
"""Compositions kept; each takes a few kB."""


def fingerprint(picture: Image.Image) -> str:
    """The same for the same pixels, whatever file they came in."""
    digest = hashlib.sha256(f"{picture.mode} {picture.size}".encode())
    digest.update(picture.tobytes())
    return digest.hexdigest()


class Memory:
    """Compositions by fingerprint; the one that was asked for longest ago is forgotten first.

    May be used from several threads.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        """``most`` compositions are kept."""
        self._most = most
        self._kept: OrderedDict[str, Composition] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: str) -> Composition | None:
        """What was seen, unless it was never kept or is forgotten."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: str, composition: Composition) -> None:
        """Remember, and forget what is too many."""
        with self._lock:
            self._kept[key] = composition
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
