"""Presets that are often wanted together, under one name."""

import re
from dataclasses import dataclass
from typing import Any

from pipelines.errors import InvalidOption
from pipelines.presets.preset import NAME


@dataclass(frozen=True, slots=True)
class Collection:
    """Presets by their ids, in this order."""

    name: str
    title: str
    presets: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what is no collection; raises InvalidOption."""
        if not re.fullmatch(NAME, self.name):
            msg = f"{self.name!r} is not the name of a collection, like ads"
            raise InvalidOption(msg)
        if not self.title or not self.presets:
            msg = f"collection {self.name} needs a title and presets"
            raise InvalidOption(msg)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"name": self.name, "title": self.title, "presets": list(self.presets)}
