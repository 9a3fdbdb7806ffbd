"""What the parts share: the device, the models on it, and pictures to work on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from PIL import Image

from benchmarks.gpu.clock import Clock, Timing
from benchmarks.gpu.models import add_few_step, make_components
from benchmarks.gpu.report import Reading
from pipelines.canvas import Canvas
from pipelines.engine import Mode
from pipelines.geometry import PixelBox, Size
from pipelines.models.audience import Audience
from pipelines.models.compiling import prefers_compiling
from pipelines.models.device import CPU, Device, choose_device
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.denoise import make_noise
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.patch import Patch
from pipelines.models.sdxl.recipe import Recipe, choose_recipes
from tests.drawings import draw_meadow

FULL = 1024
"""Side in px of the square that the published model was trained on."""


@dataclass(slots=True)
class Bench:
    """Everything to measure with; ``values`` are the readings so far, by key."""

    device: Device
    clock: Clock
    components: Components
    folder: Path
    tiny: bool
    values: Mapping[str, float]

    @property
    def rows(self) -> int:
        """Pictures in a full batch."""
        return 2 if self.tiny else 8

    @property
    def compiles(self) -> bool:
        """Whether the UNet is compiled here."""
        return self.tiny or prefers_compiling(self.device)

    def scale(self, width: int, height: int) -> Size:
        """A size given for the full model, for this one; sides stay whole cells."""
        cell, native = self.components.cell, self.components.native
        return Size(
            *(max(cell, round(side * native / FULL / cell) * cell) for side in (width, height))
        )

    def equip(self) -> None:
        """Add the few-step adapter, which the models do without until then."""
        if not self.components.has_few_step:
            add_few_step(self.components.unet)
            self.device.settle(self.components.unet)
            self.components = replace(self.components, has_few_step=True)

    def time(self, work: Callable[[], object], rounds: int | None = None) -> Timing:
        """Measure work that runs models by itself, on the device as they are always run."""
        with self.device.working():
            return self.clock.measure(work, rounds)

    def make_painter(self, *, windows: bool = True) -> Painter:
        """A painter that has seen nothing yet."""
        return Painter(self.components, self.device, windows=windows)

    def recipes(self) -> Mapping[Mode, Recipe]:
        """What the modes are, with the adapter or without."""
        return choose_recipes(has_few_step=self.components.has_few_step)

    def make_patch(self, size: Size, recipe: Recipe, seed: int) -> Patch:
        """A picture and a prompt that nobody has seen, its outer quarters to be painted."""
        canvas = draw_canvas(size, seed)
        cell = self.components.cell
        shape = (recipe.noises, 4, size.height // cell, size.width // cell)
        noise = make_noise(seed, shape)
        return Patch(canvas.picture, canvas.mask, f"a meadow, number {seed}", noise, recipe)


Part = Callable[[Bench], Iterator[Reading]]
"""Measures one thing after another; may be left alone after any of them."""


MARK = 16
"""Px of the square by which pictures of one size differ."""


def draw_canvas(size: Size, seed: int, new: float = 0.5) -> Canvas:
    """A picture of which the share ``new``, half on either side, is to be painted.

    It costs next to nothing beside what is timed; nobody has seen this one before.
    """
    side = round(size.width * new / 2)
    place = PixelBox(side, 0, size.width - side, size.height)
    mask = Image.new("L", size, 255)
    if place.left < place.right:
        mask.paste(0, place)
    picture = _draw_meadow(size).copy()
    colour = (seed % 256, seed // 256 % 256, seed * 97 % 256)
    left, top = (size.width - MARK) // 2, (size.height - MARK) // 2
    picture.paste(colour, (left, top, left + MARK, top + MARK))
    return Canvas(picture, mask, place)


@lru_cache(maxsize=8)
def _draw_meadow(size: Size) -> Image.Image:
    return draw_meadow(*size)


def nobody(rows: int = 1) -> Audience:
    """An audience that hears nothing and stays."""
    return Audience([ignore] * rows)


def ignore(fraction: float) -> None:
    """Hear nothing."""


def choose(*, tiny: bool) -> Device:
    """The card, or the processor for tiny models."""
    return CPU if tiny else choose_device()


def set_up(folder: Path, clock: Clock, device: Device, *, tiny: bool) -> Bench:
    """Make the models and see that they give numbers."""
    components = make_components(folder / "sdxl", device, tiny=tiny)
    return Bench(device, clock, components, folder, tiny, {})


def draw_numbers(device: Device, *shape: int, dtype: torch.dtype | None = None) -> torch.Tensor:
    """Standard normal numbers, made on the device."""
    return torch.randn(*shape, device=device.hardware, dtype=dtype or device.dtype)
