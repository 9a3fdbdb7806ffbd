"""The preview engine: composition and fill without weights, GPU or torch."""

from pipelines.engine import Engine
from pipelines.preview.describer import PreviewDescriber
from pipelines.preview.outpainter import PreviewOutpainter

PAINT_PRICE = 3.0
"""Continuing what is there convinces less than a model's painting: crop where that is safe."""


def load() -> Engine:
    """The engine, ready to work."""
    return Engine("preview", PreviewDescriber(), PreviewOutpainter(), PAINT_PRICE)
