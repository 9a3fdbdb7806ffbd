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
            inside = [item for item in _search(path) if not _lies_in(item, made)]
            if not inside:
                msg = f"{name}: no pictures in this folder"
                raise SourceUnavailable(msg)
            found.extend(inside)
        else:
            found.append(Input(path, Path(path.name)))
    return found


def _lies_in(item: Input, folder: Path | None) -> bool:
    return bool(folder and item.path and folder in item.path.resolve().parents)


def _search(folder: Path) -> Iterator[Input]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and path.suffix.lower() in SUFFIXES and path.is_file():
            yield Input(path, relative)


def format_of(output: str, wished: Format | None) -> Format:
    """The one asked for, else the one that the output's name says, else PNG."""
    if output == STREAM or _is_folder(output):
        return wished or Format.PNG
    said = Format.parse(Path(output).suffix)
    if wished not in (None, said):
        msg = f"the output is to be {wished} and its name says {said}"
        raise InvalidOption(msg)
    return said


def _is_folder(output: str) -> bool:
    """Whether ``output`` means a folder: it ends like one, is one, or has no ending."""
    ending = Path(output).suffix.removeprefix(".")
    return output.endswith(os.sep) or Path(output).is_dir() or not ending.isalpha()


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
        self._is_file = single and not _is_folder(output)
        if self._is_file and output != STREAM:
            self._check(Path(output))
        if not single and Path(output).suffix.lower() in SUFFIXES and not _is_folder(output):
            msg = f"{len(inputs) * count} outputs cannot all be {output}; give -o a folder"
            raise InvalidOption(msg)

    def path(self, item: Input, size: Size, extension: str) -> Path | None:
        """Where this output goes; None for stdout."""
        if self._output == STREAM:
            return None
        if self._is_file:
            path = Path(self._output)
            if path in self._taken:
                msg = f"{path} is asked for twice"
                raise InvalidOption(msg)
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
        return self.reserve(path)

    def reserve(self, path: Path) -> Path:
        """Keep ``path`` for one file; raises InvalidOption where it is a source."""
        self._check(path)
        self._taken.add(path)
        return path

    def _check(self, path: Path) -> None:
        if path.resolve() in self._sources:
            msg = f"{path} is a source and is not written over"
            raise InvalidOption(msg)

    @staticmethod
    def write(path: Path | None, data: bytes) -> None:
        """Write all or nothing; raises OutputUnwritable."""
        try:
            if path is None:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            else:
                _write_whole(path, data)
        except (OSError, AttributeError) as error:  # a closed stdout is None
            reason = getattr(error, "strerror", None) or "closed"
            msg = f"{path or 'stdout'} cannot be written: {reason.lower()}"
            raise OutputUnwritable(msg) from error


def _write_whole(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=".smart-resize-", delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            file.write(data)
            file.close()
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def _umask() -> int:
    """The process's own; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
