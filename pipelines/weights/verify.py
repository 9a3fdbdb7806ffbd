"""Whether the files of a model are the ones that the lock names, told without any network.

Sizes are looked at first, then contents. A file that was recognized once is noted with its size
and time of change, and is believed as long as both stay; ``Depth.ALL`` believes nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any

from pipelines.errors import WeightsError
from pipelines.weights.digest import Meter, digest_file, ignore_bytes
from pipelines.weights.lock import LockedFile, LockedModel, Pin
from pipelines.weights.store import Store

LEFT_BY_BROWSERS = (".DS_Store", ".directory", ".localized", "Thumbs.db", "desktop.ini")
"""Files that people's file browsers leave wherever they look, and that no loader reads."""

Note = tuple[int, int, str]
"""Size, time of change in ns and sha256 of a file when it was recognized."""


class Depth(Enum):
    """How much is read."""

    NOTHING = "what is noted is believed, the rest stays unread"
    NEW = "what is not noted is read"
    ALL = "everything is read"


class State(StrEnum):
    """What became of one file."""

    GOOD = "good"
    UNREAD = "not verified yet"
    UNPINNED = "not known to the lock"
    MISSING = "missing"
    FOLDER = "a folder and not a file"
    SIZE = "wrong size"
    CONTENT = "wrong content"
    EXTRA = "not in the lock"


@dataclass(frozen=True, slots=True)
class Finding:
    """One file that was looked at."""

    path: str
    state: State


@dataclass(frozen=True, slots=True)
class Report:
    """All files of one model, and whatever else lies beside them."""

    model: LockedModel
    findings: tuple[Finding, ...]

    @property
    def is_good(self) -> bool:
        """Whether every file is there and recognized, and no other."""
        return all(finding.state is State.GOOD for finding in self.findings)

    @property
    def is_begun(self) -> bool:
        """Whether any file is there and recognized."""
        return any(finding.state is State.GOOD for finding in self.findings)

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What is not good."""
        return tuple(found for found in self.findings if found.state is not State.GOOD)

    @property
    def summary(self) -> str:
        """One word or two for the whole model."""
        states = {finding.state for finding in self.findings}
        if states <= {State.MISSING, State.UNPINNED}:
            return "not pinned" if self.model.unpinned else "missing"
        if states & {State.FOLDER, State.SIZE, State.CONTENT, State.EXTRA}:
            return "damaged"
        if states & {State.MISSING, State.UNPINNED}:
            return "incomplete"
        return "not verified" if State.UNREAD in states else "verified"

    def to_json(self) -> dict[str, Any]:
        """What was seen of which model."""
        model = self.model
        return {
            "role": model.role,
            "repository": model.repository,
            "revision": model.revision,
            "licence": model.licence,
            "optional": model.optional,
            "bytes": model.size,
            "state": self.summary,
            "problems": {finding.path: finding.state.value for finding in self.problems},
        }


def verify(
    model: LockedModel, store: Store, depth: Depth = Depth.NEW, meter: Meter = ignore_bytes
) -> Report:
    """Look at every file of ``model``; ``meter`` hears of all its bytes, read or believed.

    Raises:
        WeightsError: a file is there but cannot be read.
    """
    folder, notes = store.folder_of(model), _read_notes(store, model)
    kept: dict[str, Note] = {}
    findings = []
    try:
        for file in model.files:
            state, note = _look_at(folder, file, notes, depth, meter)
            findings.append(Finding(file.path, state))
            if note:
                kept[file.path] = note
        findings += [Finding(path, State.EXTRA) for path in _find_extra(folder, model)]
    except OSError as error:
        raise WeightsError(f"{folder} cannot be read: {error.strerror}") from error
    if kept != notes:
        _write_notes(store, model, kept)
    return Report(model, tuple(findings))


def note_as_good(model: LockedModel, store: Store, pin: Pin) -> None:
    """Note that a file was recognized on its way to its place."""
    stat = (store.folder_of(model) / pin.path).stat()
    note = (stat.st_size, stat.st_mtime_ns, pin.sha256)
    _write_notes(store, model, _read_notes(store, model) | {pin.path: note})


def _look_at(
    folder: Path, file: LockedFile, notes: dict[str, Note], depth: Depth, meter: Meter
) -> tuple[State, Note | None]:
    path, pin = folder / file.path, file.pin
    if pin is None or not path.is_file():
        return _say_why_not(path), None
    stat = path.stat()
    if stat.st_size != pin.size:
        return State.SIZE, None
    note = (stat.st_size, stat.st_mtime_ns, pin.sha256)
    if depth is not Depth.ALL and notes.get(file.path) == note:
        meter(file.path, pin.size)
        return State.GOOD, note
    if depth is Depth.NOTHING:
        return State.UNREAD, None
    if not digest_file(path, meter, file.path).fits(pin):
        return State.CONTENT, None
    return State.GOOD, note


def _say_why_not(path: Path) -> State:
    if path.is_dir():
        return State.FOLDER
    return State.UNPINNED if path.is_file() else State.MISSING


def _find_extra(folder: Path, model: LockedModel) -> Iterator[str]:
    """A loader might pick up what lies beside the files of a model."""
    known = {file.path for file in model.files}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name not in known and (path.is_symlink() or not path.is_dir()):
            if path.name in LEFT_BY_BROWSERS and not path.is_symlink():
                continue
            yield name


def _read_notes(store: Store, model: LockedModel) -> dict[str, Note]:
    """What was noted; nothing when the note is missing or damaged."""
    try:
        noted = json.loads(store.record_of(model).read_text("utf-8"))
        return {path: (int(size), int(time), str(sha)) for path, (size, time, sha) in noted.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_notes(store: Store, model: LockedModel, notes: dict[str, Note]) -> None:
    """A store that cannot be written is read again next time."""
    record = store.record_of(model)
    part = record.with_name(f"{record.name}.part")
    try:
        if notes:
            part.write_text(json.dumps(notes, indent=1, sort_keys=True) + "\n", "utf-8")
            part.replace(record)
        else:
            record.unlink(missing_ok=True)
    except OSError:
        return
