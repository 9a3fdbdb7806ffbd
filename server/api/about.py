"""What this server is: the program's version, and the engines that work behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from server.errors import DatabaseUnavailable


@dataclass(frozen=True, slots=True)
class About:
    """``find_engines`` names those of the live workers, or the operator's choice without any."""

    version: str
    find_engines: Callable[[], tuple[str, ...]]

    def to_json(self) -> dict[str, Any]:
        """Version and engines; raises DatabaseUnavailable."""
        return {"version": self.version, "engines": list(self.find_engines())}

    def to_json_always(self) -> dict[str, Any]:
        """The same, and no engines (None) while nobody can say which."""
        try:
            return self.to_json()
        except DatabaseUnavailable:
            return {"version": self.version, "engines": None}
