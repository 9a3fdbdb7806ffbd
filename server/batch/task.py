"""What a batch has to do: one source and its outputs, each with a place."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import InvalidOption
from server.batch.naming import Names, tell_apart
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
class Job:
    """A source and its wishes, before the outputs have their paths.

    ``origin`` is what the source is called from run to run. ``output`` is the path of the one
    output, where that was asked for; ``where`` says who asked, for people.
    """

    item: Input
    origin: str
    wishes: tuple[Wish, ...]
    output: Path | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A source and its outputs."""

    item: Input
    origin: str
    pieces: tuple[Piece, ...]


def place(jobs: Sequence[Job], names: Names, folder: Path) -> list[Task]:
    """Give every output its path in ``folder``; paths that were asked for come first.

    Raises:
        InvalidOption: two outputs are to have one name, or an output that of a source.
    """
    siblings: dict[str, list[Wish]] = {}
    for job in jobs:
        if job.output is None:
            siblings.setdefault(job.origin, []).extend(job.wishes)
    slots = {origin: iter(tell_apart(wishes)) for origin, wishes in siblings.items()}
    fixed: dict[Path, tuple[Piece, ...]] = {}
    for job in jobs:
        if job.output is not None:
            fixed[job.output] = _fix(job, names, taken=job.output in fixed)
    tasks = []
    for job in jobs:
        if job.output is not None:
            pieces = fixed[job.output]
        else:
            alone = len(siblings[job.origin]) == 1
            pieces = tuple(
                _name(job, wish, next(slots[job.origin]), names, alone=alone) for wish in job.wishes
            )
        tasks.append(Task(job.item, job.origin, pieces))
    _check(tasks, folder.resolve())
    return tasks


def _fix(job: Job, names: Names, *, taken: bool) -> tuple[Piece, ...]:
    assert job.output is not None
    wish = job.wishes[0]
    slot = job.output.as_posix()
    extras = sorted(wish.request.export.extras)
    if taken or not names.reserve(job.output, owner_of(job.origin, slot), extras):
        msg = f"{job.where}: another output is called {job.output} too"
        raise InvalidOption(msg)
    return (Piece(wish, job.output, slot),)


def _name(job: Job, wish: Wish, slot: str, names: Names, *, alone: bool) -> Piece:
    owner = owner_of(job.origin, slot)
    path = names.give(job.item.relative, owner, "" if alone else f"_{slot}", wish)
    return Piece(wish, path, slot)


def _check(tasks: Sequence[Task], folder: Path) -> None:
    sources = {task.item.path.resolve() for task in tasks if task.item.path}
    if not any(folder in path.parents for path in sources):
        return
    for task in tasks:
        for piece in task.pieces:
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
