"""What an engine is: somebody who looks at a picture, and somebody who paints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from PIL import Image

from pipelines.canvas import Canvas
from pipelines.composition import Composition
from pipelines.progress import Progress
from pipelines.safety import Rater

PAINT_PRICES: Mapping[str, float] = MappingProxyType({"preview": 3.0, "sdxl": 1.0})
"""How dear painting is for the planner, by the engine's name.

Continuing what is there convinces less than a model's painting: there, crop where that is safe.
"""


class Mode(StrEnum):
    """What the caller chooses between speed and quality; not every engine knows the difference."""

    FAST = "fast"
    BALANCED = "balanced"
    QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class Painting:
    """What an outpainter is asked for; the same seed gives the same picture on one machine."""

    canvas: Canvas
    prompt: str = ""
    seed: int = 0
    mode: Mode = Mode.BALANCED


class Describer(Protocol):
    """Looks at an upright sRGB picture, RGB or RGBA, and says what is in it."""

    def __call__(self, picture: Image.Image) -> Composition:
        """Describe ``picture``."""
        ...


class Outpainter(Protocol):
    """Paints what the canvas's mask asks for."""

    def __call__(self, painting: Painting, progress: Progress) -> Image.Image:
        """Return an RGB picture of the canvas's size; inside ``place`` it repeats the source."""
        ...


@dataclass(frozen=True, slots=True)
class Engine:
    """A describer and an outpainter that go together; both may be called from several threads.

    ``paint_price`` is how dear painting is for the planner: 1 for a generative model, more for
    one that can only continue what is there. ``models`` are the locked models behind it, each as
    ``repository@revision``. ``refine`` gives what was painted and then enlarged its detail: its
    canvas has the output's size, and the mask marks what to work on. ``rate`` says how likely a
    picture is not safe for work; without it nobody knows, and ``unrated`` says why if that is a
    lack. ``batch`` is how many callers' pictures
    it paints together at most; an engine that fills the device with one has 1. ``probe`` has the
    device do something small beside its work, and raises where it does not answer.
    """

    name: str
    describe: Describer
    outpaint: Outpainter
    paint_price: float = 1.0
    models: tuple[str, ...] = ()
    refine: Outpainter | None = None
    rate: Rater | None = None
    unrated: str = ""
    batch: int = 1
    probe: Callable[[], None] | None = None

    @property
    def callers(self) -> int:
        """How many keep it busy: as many as it paints together, and half as many who come next."""
        return self.batch + max(1, self.batch // 2)
