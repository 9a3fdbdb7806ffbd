"""What the caller wants to get: the file's kind, and what goes into and beside it."""

import re
from dataclasses import dataclass
from enum import StrEnum

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption

COLOUR = "^#[0-9a-fA-F]{6}$"
"""A pattern for ``#rrggbb``."""


class Alpha(StrEnum):
    """What becomes of transparency."""

    KEEP = "keep"
    FLATTEN = "flatten"


class Extra(StrEnum):
    """A file beside the output, of the output's own size; ``record`` is JSON, the others PNG.

    ``mask`` is white where the output was painted, grey where it was blended and black where the
    source was kept. ``generated`` is what was painted alone, with alpha. ``difference`` shows how
    far each kept pixel is from the source: black is untouched.
    """

    MASK = "mask"
    GENERATED = "generated"
    DIFFERENCE = "difference"
    RECORD = "record"


class Metadata(StrEnum):
    """What of the source's own EXIF, IPTC and XMP goes into the output.

    ``copyright`` is who made it, whose it is, and what may be done with it; never where it was
    taken, by which camera, or when.
    """

    NONE = "none"
    COPYRIGHT = "copyright"


@dataclass(frozen=True, slots=True)
class Export:
    """What the output's file is to be.

    ``quality`` is 1 to 100, None for the format's default; ``max_bytes`` bounds the file with all
    that is in it. ``background`` is what transparency is laid on, ``#rrggbb``, None for white.
    ``xmp`` says in the file how it was made, in IPTC's words; ``c2pa`` signs that, None where the
    operator has a certificate.
    """

    format: Format = Format.PNG
    quality: int | None = None
    max_bytes: int | None = None
    alpha: Alpha = Alpha.KEEP
    background: str | None = None
    extras: frozenset[Extra] = frozenset()
    metadata: Metadata = Metadata.COPYRIGHT
    xmp: bool = True
    c2pa: bool | None = None

    def __post_init__(self) -> None:
        """Raise InvalidOption for a background that is no colour."""
        if self.background is not None and not re.fullmatch(COLOUR, self.background):
            msg = f"a background is a colour like #ff8800, not {self.background!r}"
            raise InvalidOption(msg)

    @property
    def flattens(self) -> bool:
        """Whether no transparency is left; JPEG has none."""
        return self.alpha is Alpha.FLATTEN or self.format is Format.JPEG

    @property
    def colour(self) -> str:
        """What transparency is laid on, ``#rrggbb``."""
        return (self.background or "#ffffff").lower()
