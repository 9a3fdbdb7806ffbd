"""Size and sha256 of what flows by, without ever holding more than one piece of it."""

import hashlib
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from pipelines.weights.lock import Pin

PIECE = 1 << 20
"""Bytes read at once."""


class Meter(Protocol):
    """Hears of bytes as they pass."""

    def __call__(self, path: str, count: int) -> None:
        """``count`` more bytes of ``path`` are done; negative when some must be done again.

        With 0 its work begins. What is believed without work is counted and does not begin.
        """
        ...


def ignore_bytes(path: str, count: int) -> None:
    """Hear nothing."""


class Digest(NamedTuple):
    """What was seen of a file."""

    size: int
    """Bytes."""
    sha256: str

    def fits(self, pin: Pin) -> bool:
        """Whether this is the file that the lock names."""
        return (self.size, self.sha256) == (pin.size, pin.sha256)


def digest_file(path: Path, meter: Meter = ignore_bytes, name: str = "") -> Digest:
    """Read a whole file; ``meter`` hears ``name``, or else the file's own."""
    with path.open("rb") as file:
        return digest_stream(file, path.stat().st_size, name or path.name, meter)


def digest_stream(
    source: BinaryIO, size: int, path: str, meter: Meter, sink: BinaryIO | None = None
) -> Digest:
    """Read up to ``size`` bytes of ``source``, and copy them to ``sink``.

    A source that ends early gives a smaller size: that is for the caller to notice.
    """
    seen, sha256 = 0, hashlib.sha256()
    meter(path, 0)
    while seen < size and (piece := source.read(min(PIECE, size - seen))):
        sha256.update(piece)
        if sink is not None:
            sink.write(piece)
        seen += len(piece)
        meter(path, len(piece))
    return Digest(seen, sha256.hexdigest())
