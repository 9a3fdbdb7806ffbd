"""Pictures to be read: files, folders to the bottom, or stdin."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import InvalidOption, SourceUnavailable

STREAM = "-"
SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .png .webp .avif .gif .tif .tiff .heic .heif".split()  # noqa: SIM905
)
"""What a folder is searched for; a file named outright may be called anything."""


@dataclass(frozen=True, slots=True)
class Input:
    """One picture to read; ``relative`` is its place in the folder it was found in."""

    path: Path | None
    relative: Path

    @property
    def name(self) -> str:
        """As shown to people."""
        return STREAM if self.path is None else str(self.path)

    def read(self, most: int) -> bytes:
        """All bytes, or one more than ``most`` of a larger file; raises SourceUnavailable."""
        try:
            if self.path is None:
                return sys.stdin.buffer.read(most + 1)
            with self.path.open("rb") as file:
                return file.read(most + 1)
        except (OSError, AttributeError) as error:  # a closed stdin is None
            reason = getattr(error, "strerror", None) or "cannot be read"
            raise SourceUnavailable(reason.lower()) from error


def find_inputs(names: Sequence[str], output: str | None = None) -> list[Input]:
    """The pictures that ``names`` mean, folders searched to the bottom in a stable order.

    What lies in the ``output`` folder is left out: it was made by an earlier run.
    """
    made = Path(output).resolve() if output and output != STREAM else None
    found: list[Input] = []
    for name in names:
        path = Path(name)
        if not name:
            msg = "the name of a picture or folder is empty"
            raise InvalidOption(msg)
        if name.startswith(("http://", "https://")):
            msg = f"{name} is not fetched: give a file"
            raise SourceUnavailable(msg)
        if name == STREAM:
            found.append(Input(None, Path("stdin")))
        elif path.is_dir():
            inside = list(search(path, made))
            if not inside:
                msg = f"{name}: no pictures in this folder"
                raise SourceUnavailable(msg)
            found.extend(inside)
        else:
            found.append(Input(path, Path(path.name)))
    return found


def search(folder: Path, made: Path | None = None) -> Iterator[Input]:
    """The pictures in a folder, but for those in ``made``, a resolved path, and hidden ones."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and path.suffix.lower() in SUFFIXES and path.is_file():
            item = Input(path, relative)
            if made is None or made not in path.resolve().parents:
                yield item
