"""The preview engine: composition and fill without weights, GPU or torch."""

from pipelines.engine import PAINT_PRICES, Engine
from pipelines.preview.describer import PreviewDescriber
from pipelines.preview.outpainter import PreviewOutpainter


def load() -> Engine:
    """The engine, ready to work."""
    return Engine("preview", PreviewDescriber(), PreviewOutpainter(), PAINT_PRICES["preview"])
