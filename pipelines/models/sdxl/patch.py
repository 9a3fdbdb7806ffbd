"""A piece of picture for the model: what painting and refining are made of."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch
from PIL import Image

from pipelines.geometry import PixelBox, Size
from pipelines.models.sdxl.ground import Ground
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
    lies outside ``seen``, px; None for all of it. ``ground`` is there once it was laid.
    """

    picture: Image.Image
    mask: Image.Image
    prompt: str
    noise: torch.Tensor
    recipe: Recipe
    seen: PixelBox | None = None
    ground: Ground | None = None

    @property
    def kind(self) -> Kind:
        """Patches of one kind can share a batch."""
        return Kind(Size(*self.picture.size), self.recipe)

    def lay_ground(self, cell: int) -> Ground:
        """What is made ready without the device, a latent covering ``cell`` px: there, or made now.

        It takes a few hundredths of a second for 1 MP, in which the device could paint for others.
        """
        return self.ground or Ground.lay(self.picture, self.mask, self.recipe, self.seen, cell)

    def grounded(self, cell: int) -> Self:
        """The same patch with its ground laid."""
        return replace(self, ground=self.lay_ground(cell))
