"""Which pictures a command reads, and where each output goes.

A folder in means the same tree out. Nothing is written over a source, two outputs never share a
name, and a file appears under its name only when it is whole.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption, OutputUnwritable, SourceUnavailable
from pipelines.geometry import Size

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

    def read(self) -> bytes:
        """All bytes; raises SourceUnavailable."""
        if self.path is None:
            return sys.stdin.buffer.read()
        try:
            return self.path.read_bytes()
        except OSError as error:
            reason = (error.strerror or "unreadable").lower()
            msg = f"{self.path}: {reason}"
            raise SourceUnavailable(msg) from error


def find_inputs(names: Sequence[str]) -> list[Input]:
    """The pictures that ``names`` mean, folders searched to the bottom in a stable order."""
    found: list[Input] = []
    for name in names:
        path = Path(name)
        if name == STREAM:
            found.append(Input(None, Path("stdin")))
        elif path.is_dir():
            inside = list(_search(path))
            if not inside:
                msg = f"{name}: no pictures in this folder"
                raise SourceUnavailable(msg)
            found.extend(inside)
        else:
            found.append(Input(path, Path(path.name)))
    return found


def _search(folder: Path) -> Iterator[Input]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and path.suffix.lower() in SUFFIXES and path.is_file():
            yield Input(path, relative)


def format_of(output: str, wished: Format | None) -> Format:
    """The format asked for, else the one that the output's name says, else PNG."""
    if wished is not None:
        return wished
    suffix = Path(output).suffix
    return Format.parse(suffix) if suffix and not _is_folder(output) else Format.PNG


def _is_folder(output: str) -> bool:
    return output.endswith(os.sep) or Path(output).is_dir()


class Outputs:
    """Names outputs and writes them."""

    def __init__(self, output: str, *, inputs: Sequence[Input], count: int) -> None:
        """``output`` is a file, a folder or ``-``; ``count`` outputs are made of each input."""
        self._output = output
        self._count = count
        self._sources = {item.path.resolve() for item in inputs if item.path}
        self._taken: set[Path] = set()
        single = len(inputs) * count == 1
        if not single and output == STREAM:
            msg = "only one output fits stdout; give -o a folder"
            raise InvalidOption(msg)
        self._is_file = single and not _is_folder(output) and bool(Path(output).suffix)
        if not single and Path(output).suffix.lower() in SUFFIXES and not _is_folder(output):
            msg = f"{len(inputs) * count} outputs cannot all be {output}; give -o a folder"
            raise InvalidOption(msg)

    def path(self, item: Input, size: Size, extension: str) -> Path | None:
        """Where this output goes; None for stdout."""
        if self._output == STREAM:
            return None
        if self._is_file:
            path = Path(self._output)
        else:
            stem = item.relative.stem + (f"_{size}" if self._count > 1 else "")
            folder = Path(self._output) / item.relative.parent
            path = folder / f"{stem}{extension}"
            kind = item.relative.suffix.lower().removeprefix(".")
            tries = 1
            while path in self._taken:
                # a.jpg and a.png in one folder, or one size asked for twice
                path = folder / f"{stem}-{kind}{tries if tries > 1 else ''}{extension}"
                tries += 1
        self._taken.add(path)
        if path.resolve() in self._sources:
            msg = f"{path} is a source and is not written over"
            raise InvalidOption(msg)
        return path

    @staticmethod
    def write(path: Path | None, data: bytes) -> None:
        """Write all or nothing; raises OutputUnwritable."""
        if path is None:
            sys.stdout.buffer.write(data)
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=path.parent, prefix=".smart-resize-", delete=False
            ) as file:
                file.write(data)
            temporary = Path(file.name)
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except OSError as error:
            msg = f"{path} cannot be written: {(error.strerror or 'failed').lower()}"
            raise OutputUnwritable(msg) from error


def _umask() -> int:
    """The process's own; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
