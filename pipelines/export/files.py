"""From a finished picture to the bytes that are handed out."""

from dataclasses import dataclass

from PIL import Image

from pipelines.codec.decode import Source
from pipelines.codec.encode import Encoded, encode
from pipelines.export.wishes import Export, Extra
from pipelines.fill import Fill
from pipelines.plan import Plan


@dataclass(frozen=True, slots=True)
class Material:
    """A finished output and what it was made of, RGB or RGBA.

    ``kept`` is the source at its size in the output; ``fill`` is None where nothing was added.
    """

    output: Image.Image
    kept: Image.Image
    plan: Plan
    fill: Fill | None
    source: Source
    engine: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExtraFile:
    """A file beside an output; ``extension`` has its dot."""

    kind: Extra
    data: bytes
    extension: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Exported:
    """The output's file, and those beside it."""

    file: Encoded
    extras: tuple[ExtraFile, ...] = ()


def export(material: Material, wishes: Export) -> Exported:
    """Write the output as ``wishes`` has it.

    Raises:
        InvalidOption, UnreachableBudget: what the format cannot hold.
    """
    file = encode(
        material.output, wishes.format, quality=wishes.quality, max_bytes=wishes.max_bytes
    )
    return Exported(file)
