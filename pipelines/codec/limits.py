"""How much a source may hold before it is refused.

All three are checked before any pixel is decoded, so a refusal costs next to nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest file, picture and side that are accepted, each inclusive."""

    max_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_side: int = 30_000
