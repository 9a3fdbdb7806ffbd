"""One source of a batch and what is to be made of it, each output with a place."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import InvalidOption
from server.batch.naming import Names, list_slots
from server.batch.source import Input
from server.batch.wish import Wish


@dataclass(frozen=True, slots=True)
class Piece:
    """One output: its wish, its path in the output folder, and what tells it from its siblings."""

    wish: Wish
    output: Path
    slot: str

    def key(self, source: str, maker: str) -> str:
        """What it is made of and by whom; ``source`` is the sha256 of the picture's bytes."""
        wish = self.wish
        mask = hashlib.sha256(wish.mask).hexdigest() if wish.mask else None
        what = [source, _plain(wish.request), mask, _plain(wish.plan), maker]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class BatchItem:
    """A source and its wishes, before the outputs have their paths.

    ``origin`` is what the source is called from run to run. ``output`` is the path of the one
    output, where that was asked for; ``where`` says who asked, for people.
    """

    source: Input
    origin: str
    wishes: tuple[Wish, ...]
    output: Path | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """A source and its outputs, each with its path."""

    source: Input
    origin: str
    pieces: tuple[Piece, ...]


def place(items: Sequence[BatchItem], names: Names, folder: Path) -> list[PlacedItem]:
    """Give every output its path in ``folder``; paths that were asked for come first.

    Raises:
        InvalidOption: two outputs are to have one name, or an output that of a source.
    """
    siblings: dict[str, list[Wish]] = {}
    for item in items:
        if item.output is None:
            siblings.setdefault(item.origin, []).extend(item.wishes)
    slots = {origin: iter(list_slots(wishes)) for origin, wishes in siblings.items()}
    fixed: dict[Path, tuple[Piece, ...]] = {}
    for item in items:
        if item.output is not None:
            fixed[item.output] = _fix(item, names, taken=item.output in fixed)
    placed = []
    for item in items:
        if item.output is not None:
            pieces = fixed[item.output]
        else:
            alone = len(siblings[item.origin]) == 1
            pieces = tuple(
                _name(item, wish, next(slots[item.origin]), names, alone=alone)
                for wish in item.wishes
            )
        placed.append(PlacedItem(item.source, item.origin, pieces))
    _check(placed, folder.resolve())
    return placed


def _fix(item: BatchItem, names: Names, *, taken: bool) -> tuple[Piece, ...]:
    assert item.output is not None
    wish = item.wishes[0]
    slot = item.output.as_posix()
    extras = sorted(wish.request.export.extras)
    if taken or not names.reserve(item.output, owner_of(item.origin, slot), extras):
        msg = f"{item.where}: another output is called {item.output} too"
        raise InvalidOption(msg)
    return (Piece(wish, item.output, slot),)


def _name(item: BatchItem, wish: Wish, slot: str, names: Names, *, alone: bool) -> Piece:
    owner = owner_of(item.origin, slot)
    path = names.give(item.source.relative, owner, "" if alone else f"_{slot}", wish)
    return Piece(wish, path, slot)


def _check(placed: Sequence[PlacedItem], folder: Path) -> None:
    sources = {item.source.path.resolve() for item in placed if item.source.path}
    if not any(folder in path.parents for path in sources):
        return
    for item in placed:
        for piece in item.pieces:
            if (folder / piece.output).resolve() in sources:
                msg = f"{piece.output} is a source and is not written over"
                raise InvalidOption(msg)


def owner_of(origin: str, slot: str) -> str:
    """Whose a path is."""
    return f"{origin} {slot}"


def _plain(value: Any) -> Any:
    """As JSON values, the same for the same wishes."""
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, _plain(asdict(value))]
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value
