"""What a batch will take, said before it begins."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from pipelines.codec.encode import Format
from server.batch.item import Piece, PlacedItem

PER_PIXEL = {"png": 1.7, "jpeg": 0.4, "webp": 0.3, "avif": 0.25, "tiff": 3.0, "psd": 8.0}
"""Bytes of a photo, roughly."""

UNKNOWN = 1_500_000
"""Pixels of an output whose size depends on its source."""


def estimate(items: Sequence[PlacedItem], folder: Path) -> str:
    """Pictures, outputs and the disk that they need, in words; what is there is counted too."""
    pieces = [piece for item in items for piece in item.pieces]
    needed = sum(map(_guess, pieces))
    free = shutil.disk_usage(folder).free
    pictures = "1 picture" if len(items) == 1 else f"{len(items)} pictures"
    outputs = "1 output" if len(pieces) == 1 else f"{len(pieces)} outputs"
    words = f"{pictures}, {outputs}, about {_format(needed)} of {_format(free)} free"
    return f"{words}: this may not fit" if needed > free else words


def _guess(piece: Piece) -> float:
    """Bytes, the thumbnail included."""
    export, size = piece.wish.request.export, piece.wish.size
    form: Format = export.format
    most = export.max_bytes or float("inf")
    return min(most, (size.area if size else UNKNOWN) * PER_PIXEL.get(form.value, 3.0)) + 15_000


def _format(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
