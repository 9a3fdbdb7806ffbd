"""A piece of picture for the model: what painting and refining are made of."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from PIL import Image

from pipelines.geometry import PixelBox, Size
from pipelines.models.sdxl.recipe import Recipe


class Kind(NamedTuple):
    """What patches must have in common to be painted together."""

    size: Size
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Patch:
    """One row of a batch, before anything is encoded.

    ``picture`` is RGB with sides of whole cells, pre-filled where the ``mask`` (mode L, 255 =
    paint) asks for paint. ``noise`` (``recipe.noises``, 4, h, w), float32 on the CPU, is the first
    noise, and one more for each further step of a recipe that draws anew. Nobody looks at what
    lies outside ``seen``, px; None for all of it.
    """

    picture: Image.Image
    mask: Image.Image
    prompt: str
    noise: torch.Tensor
    recipe: Recipe
    seen: PixelBox | None = None

    @property
    def kind(self) -> Kind:
        """Patches of one kind can share a batch."""
        return Kind(Size(*self.picture.size), self.recipe)
