"""What the VAE is shown of a picture."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Self

import numpy as np
import numpy.typing as npt
from PIL import Image


@dataclass(frozen=True, eq=False)
class View:
    """``levels`` (H, W, 3), uint8, and what of them is ``known`` (H, W), bool.

    What is not known is shown as grey, and its levels are 0: two views that look alike are alike.
    """

    levels: npt.NDArray[np.uint8]
    known: npt.NDArray[np.bool_]

    @classmethod
    def through(cls, picture: Image.Image, known: npt.NDArray[np.bool_] | None = None) -> Self:
        """An RGB picture where it is known, by default everywhere."""
        levels = np.array(picture)
        if known is None:
            return cls(levels, np.ones(levels.shape[:2], np.bool_))
        levels *= known[..., None]
        return cls(levels, known)

    @cached_property
    def digest(self) -> bytes:
        """The same for views that look alike, and for no others."""
        digest = blake2b(repr(self.levels.shape).encode(), digest_size=16)
        digest.update(np.ascontiguousarray(self.levels).data)
        digest.update(np.packbits(self.known).data)
        return digest.digest()
