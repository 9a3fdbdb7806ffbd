"""A batch as a table: ``--csv``, a row for each source, a column for each option."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.main import get_command

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption, ReframeError
from pipelines.presets.catalogue import Catalogue
from server.batch.item import BatchItem
from server.batch.source import Input
from server.batch.wish import Wish
from server.cli.groups import grouped
from server.cli.options import RuleOptions, TargetOptions
from server.cli.output_options import FileOptions, PaintOptions
from server.cli.wishes import read_base, read_wishes

MOST_CELL = 100_000
"""Characters."""

GROUPS = (TargetOptions, RuleOptions, PaintOptions, FileOptions)
TARGETS = frozenset(field.name for field in fields(TargetOptions)) - {"resolution"}
SWITCHES = {"strict": "lenient", "xmp": "no-xmp", "c2pa": "no-c2pa"}
"""Options without a value, and what says the opposite."""

YES, NO = frozenset({"yes", "true", "1", "on"}), frozenset({"no", "false", "0", "off"})


@dataclass(frozen=True, slots=True)
class Options:
    """All options that a row may have one of its own of."""

    targets: TargetOptions
    rules: RuleOptions
    paint: PaintOptions
    file: FileOptions

    def read(self, catalogue: Catalogue, output: Path | None = None) -> list[Wish]:
        """What they come to; raises as ``read_wishes`` does."""
        form = self.file.format or (Format.parse(output.suffix) if output else Format.PNG)
        if output and Format.parse(output.suffix) is not form:
            msg = f"the output is to be {form} and its name says {output.suffix}"
            raise InvalidOption(msg)
        said = form if output or self.file.format else None
        base = read_base(self.rules, self.paint, self.file, form)
        return read_wishes(self.targets, self.rules, base, catalogue, said)

    def put(self, said: Mapping[str, Any]) -> "Options":
        """With these instead; who names a target replaces all targets."""
        targets = self.targets
        if TARGETS.intersection(said):
            targets = TargetOptions(resolution=targets.resolution)
        return Options(
            _put(targets, said),
            _put(self.rules, said),
            _put(self.paint, said),
            _put(self.file, said),
        )


class _Row(NamedTuple):
    where: str
    """File and line, for people."""
    cells: dict[str, str]
    """Those that say something, by the names of their columns."""
    folder: Path
    """Where files that it names are."""


def read_items(path: Path, folder: Path, options: Options, catalogue: Catalogue) -> list[BatchItem]:
    """An item for each row; ``folder`` is where inputs are, ``options`` hold where a row is silent.

    Raises:
        InvalidOption: with line and column.
    """
    items = []
    for row in _read_rows(path, folder):
        name, output = row.cells.pop("input", ""), row.cells.pop("output", "")
        if not name:
            msg = f"{row.where}, column input: every row names a picture"
            raise InvalidOption(msg)
        place = _read_output(output, row)
        wishes = _read_wishes(row, options, catalogue, place)
        if place and len(wishes) > 1:
            msg = f"{row.where}, column output: {len(wishes)} outputs cannot all be {place}"
            raise InvalidOption(msg)
        items.append(_item(name, tuple(wishes), place, row))
    if not items:
        msg = f"{path} has no rows"
        raise InvalidOption(msg)
    return items


def _item(name: str, wishes: tuple[Wish, ...], output: Path | None, row: _Row) -> BatchItem:
    if name.startswith(("http://", "https://")):
        msg = f"{row.where}, column input: {name} is not fetched: give a file"
        raise InvalidOption(msg)
    path = row.folder / name
    inside = not Path(name).is_absolute() and ".." not in Path(name).parts
    relative = Path(name) if inside else Path(path.name)
    origin = relative.as_posix() if inside else path.resolve().as_posix()
    return BatchItem(Input(path, relative), origin, wishes, output, f"{row.where}, column output")


def _read_rows(path: Path, folder: Path) -> Iterator[_Row]:
    csv.field_size_limit(MOST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns = [_column(name, path) for name in next(reader, [])]
            if "input" not in columns or len(set(columns)) < len(columns):
                msg = f"{path} line 1: a column is called input, and no two are the same"
                raise InvalidOption(msg)
            for cells in reader:
                where = f"{path} line {reader.line_num}"
                if len(cells) > len(columns):
                    msg = f"{where}: {len(cells)} cells under {len(columns)} columns"
                    raise InvalidOption(msg)
                said = {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
                if any(said.values()):
                    yield _Row(where, {name: cell for name, cell in said.items() if cell}, folder)
    except OSError as error:
        msg = f"{path} cannot be read: {(error.strerror or 'failed').lower()}"
        raise InvalidOption(msg) from error
    except (csv.Error, UnicodeDecodeError) as error:
        msg = f"{path} is no CSV in UTF-8: {error}"
        raise InvalidOption(msg) from error


def _column(name: str, path: Path) -> str:
    column = name.strip().lower().replace("-", "_")
    known = ["input", "output", *(field.name for kind in GROUPS for field in fields(kind))]
    if column not in known:
        msg = f"{path} line 1: there is no column {name.strip()!r}; there are {', '.join(known)}"
        raise InvalidOption(msg)
    return column


def _read_output(text: str, row: _Row) -> Path | None:
    """A path in the output folder."""
    if not text:
        return None
    path = Path(text)
    if path.is_absolute() or ".." in path.parts or path.parts[:1] == (".smart-resize",):
        msg = f"{row.where}, column output: {text!r} is no path in the output folder"
        raise InvalidOption(msg)
    return path


def _read_wishes(
    row: _Row, options: Options, catalogue: Catalogue, output: Path | None
) -> list[Wish]:
    said: dict[str, Any] = {}
    for column, cell in row.cells.items():
        try:
            said[column] = _read_cell(column, cell)
        except (typer.TyperException, ReframeError) as error:
            raise InvalidOption(f"{row.where}, column {column}: {_words(error)}") from error
    if mask := said.get("protect_mask"):
        said["protect_mask"] = row.folder / mask
    try:
        return options.put(said).read(catalogue, output)
    except ReframeError as error:
        place = _blame(said, options, catalogue)
        raise InvalidOption(f"{row.where}{place}: {error.detail}") from error


def _blame(said: Mapping[str, Any], options: Options, catalogue: Catalogue) -> str:
    """The column that is wrong by itself, in words; nothing where it is several together."""
    for column, value in said.items():
        try:
            options.put({"size": ["64x64"], column: value}).read(catalogue)
        except ReframeError:
            return f", column {column}"
    return ""


@lru_cache(maxsize=4096)
def _read_cell(column: str, cell: str) -> Any:
    """What the option of this name would make of it; several values are separated by ``;``."""
    option = f"--{column.replace('_', '-')}"
    if column in SWITCHES:
        if cell.lower() not in YES | NO:
            raise InvalidOption(f"yes or no, not {cell!r}")
        arguments = [option if cell.lower() in YES else f"--{SWITCHES[column]}"]
    elif column in ("protect", "keep_clear", "extra", "protect_kind"):
        arguments = [part for each in cell.split(";") for part in (option, each.strip())]
    else:
        arguments = [option, cell]
    return _PARSER.main([*arguments], prog_name="row", standalone_mode=False)[column]


@grouped
def _parse(
    *, targets: TargetOptions, rules: RuleOptions, paint: PaintOptions, file: FileOptions
) -> dict[str, Any]:
    groups = (targets, rules, paint, file)
    return {field.name: getattr(group, field.name) for group in groups for field in fields(group)}


def _make_parser() -> Any:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(_parse)
    return get_command(app)


_PARSER = _make_parser()


def _words(error: Exception) -> str:
    words = getattr(error, "format_message", error.__str__)()
    return " ".join(str(words).replace("Value error, ", "").split())


def _put(group: Any, said: Mapping[str, Any]) -> Any:
    names = {field.name for field in fields(group)}
    return replace(group, **{name: value for name, value in said.items() if name in names})
