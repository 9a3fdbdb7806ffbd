"""Canvases with a kept part somewhere on them, and who counts what a model is asked to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from pipelines.canvas import Canvas
from pipelines.engine import Mode
from pipelines.geometry import PixelBox, Size
from pipelines.models.audience import Audience
from pipelines.models.device import CPU, Device
from pipelines.models.lane import alone
from pipelines.models.sdxl.components import Components
from pipelines.models.sdxl.outpainter import SdxlOutpainter
from pipelines.models.sdxl.painter import Painter
from pipelines.models.sdxl.prefill import fill_blurred
from pipelines.models.sdxl.recipe import Recipe
from tests.drawings import draw_coordinates


def draw_canvas(width: int, height: int, place: PixelBox | None = None) -> Canvas:
    """A picture of coordinates, known in ``place``, by default the middle half of the width."""
    place = place or PixelBox(width // 4, 0, width * 3 // 4, height)
    picture = Image.new("RGB", Size(width, height), (128, 128, 128))
    picture.paste(draw_coordinates(*place.size), place[:2])
    mask = Image.new("L", Size(width, height), 255)
    mask.paste(0, place)
    return Canvas(picture, mask, place)


@contextmanager
def count_calls(model: Any) -> Iterator[list[tuple[int, ...]]]:
    """The shapes of what ``model`` was given first, call by call."""
    shapes: list[tuple[int, ...]] = []
    hook = model.register_forward_pre_hook(
        lambda _, given: shapes.append(tuple(given[0].shape)), prepend=True
    )
    try:
        yield shapes
    finally:
        hook.remove()


def ignore(fraction: float) -> None:
    """Hear nothing."""


def nobody(rows: int = 1) -> Audience:
    """An audience that listens to the end and does nothing."""
    return Audience([ignore] * rows)


def make_outpainter(
    components: Components,
    recipe: Recipe,
    *,
    device: Device = CPU,
    prefill: Callable[[Canvas], Image.Image] = fill_blurred,
) -> SdxlOutpainter:
    """One that paints every patch alone, in every mode by the same recipe."""
    return SdxlOutpainter(
        alone(Painter(components, device)),
        native=components.native,
        cell=components.cell,
        recipes=dict.fromkeys(Mode, recipe),
        prefill=prefill,
    )
