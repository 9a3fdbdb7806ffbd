"""The whole story of a reframing, and the two protocols that an engine fills."""

from typing import Protocol

from PIL import Image

from pipelines.canvas import Canvas
from pipelines.composition import Composition


class Describer(Protocol):
    """Looks at an upright sRGB picture (RGB) and says what is in it."""

    def __call__(self, picture: Image.Image) -> Composition:
        """Describe ``picture``; nonsense is never returned, the weight-free answer is."""
        ...


class Progress(Protocol):
    """Hears how far a step is; raises JobCancelled to stop the job."""

    def __call__(self, step: str, fraction: float) -> None:
        """``fraction`` runs from 0 to 1 within ``step``."""
        ...


class Outpainter(Protocol):
    """Paints what the canvas's mask asks for."""

    def __call__(
        self, canvas: Canvas, *, prompt: str, seed: int, progress: Progress
    ) -> Image.Image:
        """Return an RGB picture of the canvas's size; inside ``place`` it repeats the source."""
        ...
