"""What an output's files are made of."""

from dataclasses import dataclass

from PIL import Image

from pipelines.codec.decode import Source
from pipelines.compose import Composed
from pipelines.fill import Fill
from pipelines.plan import Plan


@dataclass(frozen=True, slots=True)
class Material:
    """A finished output and what it was made of, RGB or RGBA.

    ``kept`` is the source at its size in the output; ``fill`` is None where nothing was added.
    ``models`` are those of the engine, empty for one without weights.
    """

    composed: Composed
    kept: Image.Image
    plan: Plan
    fill: Fill | None
    source: Source
    engine: str
    models: tuple[str, ...]
