"""The engines by name."""

from enum import StrEnum

from pipelines import preview
from pipelines.engine import Engine


class EngineName(StrEnum):
    """Who describes and paints; ``preview`` needs no GPU and no weights."""

    PREVIEW = "preview"


def load_engine(name: EngineName) -> Engine:
    """Make the engine ready."""
    match name:
        case EngineName.PREVIEW:
            return preview.load()
