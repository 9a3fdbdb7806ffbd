"""A named size with what belongs to it, and where that is known from."""

import re
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption, UnreachableTarget
from pipelines.geometry import UNIT, Box, Size
from pipelines.presets.sheet import Sheet
from pipelines.request import ReframeRequest
from pipelines.target import output_size

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"

_ID = re.compile(f"{NAME}/{NAME}")


class Grade(StrEnum):
    """How far a preset is to be trusted."""

    A = "A"
    B = "B"
    C = "C"

    @property
    def words(self) -> str:
        """What the letter stands for."""
        return {
            "A": "the maker's own text",
            "B": "several third parties that agree",
            "C": "one third party, or several that disagree",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Preset:
    """One size of one platform; ``id`` is ``platform/name``.

    ``format`` is what is made where the caller does not say; ``max_bytes`` bounds the file, None
    for no limit; ``keep_clear`` are zones in fractions of the output. ``sources`` are addresses
    or names of documents, ``checked`` is the day on which they were read last. A ``local`` preset
    comes from the operator's own file, wholly or in part, and may lack grade and date.
    """

    id: str
    title: str
    size: Size
    format: Format
    sources: tuple[str, ...]
    checked: date | None = None
    grade: Grade | None = None
    max_bytes: int | None = None
    keep_clear: tuple[Box, ...] = ()
    sheet: Sheet | None = None
    note: str = ""
    local: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be made; raises InvalidOption."""
        if not _ID.fullmatch(self.id):
            msg = f"{self.id!r} is not the name of a preset, like meta/story"
            raise InvalidOption(msg)
        try:
            output_size(self.size, self.size)
        except UnreachableTarget as error:
            msg = f"{self.id}: {error.detail}"
            raise InvalidOption(msg) from error
        if not self.title or not all(self.sources):
            msg = f"{self.id}: a preset has a title, and sources that say something"
            raise InvalidOption(msg)
        if self.max_bytes is not None and self.max_bytes < 1:
            msg = f"{self.id}: a byte limit is at least 1"
            raise InvalidOption(msg)
        if not all(zone.area > 0 and zone.inside(UNIT) for zone in self.keep_clear):
            msg = f"{self.id}: keep-clear zones are fractions from 0 to 1"
            raise InvalidOption(msg)

    @property
    def platform(self) -> str:
        """Whose size it is: the part of the id before the slash."""
        return self.id.partition("/")[0]

    @property
    def name(self) -> str:
        """The part of the id after the slash."""
        return self.id.partition("/")[2]

    @property
    def limit(self) -> str:
        """The byte limit in words: ``150 kB``; empty where there is none."""
        if self.max_bytes is None:
            return ""
        for unit, size in (("MB", 1_000_000), ("kB", 1_000)):
            if self.max_bytes >= size:
                return f"{self.max_bytes / size:g} {unit}"
        return f"{self.max_bytes} B"

    def request(self, base: ReframeRequest, form: Format | None = None) -> ReframeRequest:
        """``base`` for this size: exact, in its format, below its limit, its zones kept clear.

        What the caller says wins: ``form``, and a byte limit or keep-clear zones in ``base``.
        The target and the format in ``base`` mean nothing here.
        """
        zones = base.rules.keep_clear or self.keep_clear
        said = base.export.max_bytes
        return replace(
            base,
            target=self.size,
            rules=replace(base.rules, keep_clear=zones),
            export=replace(
                base.export,
                format=form or self.format,
                max_bytes=self.max_bytes if said is None else said,
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "id": self.id,
            "platform": self.platform,
            "title": self.title,
            "width": self.size.width,
            "height": self.size.height,
            "format": self.format.value,
            "max_bytes": self.max_bytes,
            "keep_clear": [[round(side, 6) for side in zone] for zone in self.keep_clear],
            "print": self.sheet.to_json() if self.sheet else None,
            "sources": list(self.sources),
            "checked": self.checked.isoformat() if self.checked else None,
            "grade": self.grade.value if self.grade else None,
            "note": self.note,
            "local": self.local,
        }
