"""Where each output of a command goes.

A folder in means the same tree out. Nothing is written over a source, two outputs never share a
name, and a file appears under its name only when it is whole.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import chain, count
from pathlib import Path

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption, OutputUnwritable
from pipelines.export.extras import ExtraFile
from pipelines.geometry import Size
from server.batch.naming import name_beside
from server.batch.source import STREAM, SUFFIXES, Input
from server.batch.whole_file import write_whole


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


def _list_names(path: Path, extras: Sequence[ExtraFile]) -> Iterator[Path]:
    """An output's, and those of the files beside it."""
    yield path
    for extra in extras:
        yield name_beside(path, extra.kind, extra.extension)


class Outputs:
    """Names outputs and writes them."""

    def __init__(self, output: str, *, inputs: Sequence[Input], count: int) -> None:
        """``output`` is a file, a folder or ``-``; ``count`` outputs are made of each input."""
        self._output = output
        self._count = count
        self._sources = {item.path.resolve() for item in inputs if item.path}
        self._taken: set[Path] = set()
        self._stems: set[Path] = set()
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

    def path(
        self, item: Input, size: Size, extension: str, extras: Sequence[ExtraFile] = ()
    ) -> Path | None:
        """Where this output goes, all names beside it being free; None for stdout.

        Raises:
            InvalidOption: one of the names is taken, or that of a source; none is kept then.
        """
        if self._output == STREAM:
            return None
        path = Path(self._output)
        if not self._is_file:
            path = self._find_free(item, size, extension, extras)
        names = list(_list_names(path, extras))
        for name in names:
            self._check(name)
            if name in self._taken:
                msg = f"{name} is the name of an output: give the others another place"
                raise InvalidOption(msg)
        for name in names:
            self.reserve(name)
        return path

    def _find_free(
        self, item: Input, size: Size, extension: str, extras: Sequence[ExtraFile]
    ) -> Path:
        """Called after its source, and more where that is taken."""
        stem = item.relative.stem + (f"_{size}" if self._count > 1 else "")
        folder = Path(self._output) / item.relative.parent
        kind = item.relative.suffix.lower().removeprefix(".") or "file"
        # a.jpg and a.png in one folder, or one size asked for twice
        numbered = (f"{stem}-{kind}{number}" for number in count(2))
        for name in chain([stem, f"{stem}-{kind}"], numbered):
            path = folder / f"{name}{extension}"
            if path.with_suffix("") not in self._stems and self._taken.isdisjoint(
                _list_names(path, extras)
            ):
                return path
        raise AssertionError

    def reserve(self, path: Path) -> Path:
        """Keep ``path`` for one file; raises InvalidOption where it is a source."""
        self._check(path)
        self._taken.add(path)
        self._stems.add(path.with_suffix(""))  # files beside an output are called after it
        return path

    def _check(self, path: Path) -> None:
        if path.resolve() in self._sources:
            msg = f"{path} is a source and is not written over"
            raise InvalidOption(msg)

    @staticmethod
    def write(path: Path | None, data: bytes) -> None:
        """Write all or nothing; raises OutputUnwritable."""
        if path is not None:
            write_whole(path, data)
            return
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except (OSError, AttributeError) as error:  # a closed stdout is None
            reason = getattr(error, "strerror", None) or "closed"
            msg = f"stdout cannot be written: {reason.lower()}"
            raise OutputUnwritable(msg) from error
