"""What a batch has done, a line for each output: what lets it go on where it was ended.

Lines are only ever added, each is on the disk before the next output begins, and a last line that
was torn by a crash is as if it had not been written: its output is made again.
"""

import fcntl
import hashlib
import json
import os
import shutil
import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Self

from pipelines.errors import OutputUnwritable
from server.batch.whole_file import write_whole
from server.errors import Conflict

HOUSE = ".smart-resize"
"""The folder, in that of the outputs, where a batch keeps what is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What became of one output.

    ``output`` and the paths of ``extras`` are relative to the output folder, ``key`` says what it
    was made of. ``seam`` is the worst of its sides, ``seconds`` the time that it took. Where
    ``error`` is a code, nothing was made and ``failures`` counts how often that happened in a row.
    """

    output: str
    key: str
    input: str
    slot: str = ""
    preset: str = ""
    size: str = ""
    sha256: str = ""
    source: str = ""
    bytes: int = 0
    seconds: float = 0.0
    painted: float | None = None
    cropped: float | None = None
    seam: float | None = None
    needs_review: bool | None = None
    warnings: tuple[str, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()
    """Path and sha256 of each file beside it."""
    error: str = ""
    detail: str = ""
    failures: int = 0

    @classmethod
    def from_fields(cls, given: Mapping[str, Any]) -> Self:
        """Read what ``asdict`` gave; raises KeyError or TypeError for anything else."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in given.items() if name in known}
        values["warnings"] = tuple(values.get("warnings", ()))
        values["extras"] = tuple((path, digest) for path, digest in values.get("extras", ()))
        return cls(**values)


class Ledger:
    """The ledger of one output folder, held by one batch at a time."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        """Read what is there, or forget it where ``fresh``.

        Raises:
            Conflict: another batch is writing into this folder.
            OutputUnwritable: the folder cannot be written.
        """
        self.folder, self.house = folder, folder / HOUSE
        self.scratch = self.house / "unfinished"
        self._turn = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self.id = uuid.uuid4().hex
        path = self.house / "batch.jsonl"
        try:
            self.house.mkdir(parents=True, exist_ok=True)
            self._lock = self._take_lock()
            shutil.rmtree(self.scratch, ignore_errors=True)  # of a batch that was killed
            self.scratch.mkdir()
            if fresh or not self._read(path):
                write_whole(path, _line({"ledger": 1, "id": self.id}))
            self._file = path.open("ab")
            if not _ends_whole(path):
                self._file.write(b"\n")
        except OSError as error:
            msg = f"{folder} cannot be written: {(error.strerror or 'failed').lower()}"
            raise OutputUnwritable(msg) from error

    @property
    def entries(self) -> Mapping[str, Entry]:
        """The last that is known of each output, by its path."""
        return MappingProxyType(self._entries)

    def add(self, entry: Entry) -> None:
        """Note it for good; raises OutputUnwritable where the disk does not take it."""
        with self._turn:
            try:
                self._file.write(_line(asdict(entry)))
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                msg = f"the ledger cannot be written: {(error.strerror or 'failed').lower()}"
                raise OutputUnwritable(msg) from error
            self._entries[entry.output] = entry

    def find_done(self, output: Path, key: str) -> Entry | None:
        """The entry of an output that was made of just this and is there unchanged."""
        entry = self._entries.get(output.as_posix())
        if entry is None or entry.key != key or entry.error:
            return None
        wanted = ((entry.output, entry.sha256), *entry.extras)
        whole = all(self._is_there(path, digest) for path, digest in wanted)
        return entry if whole else None

    def count_failures(self, output: Path, key: str) -> int:
        """How often this very output failed in a row."""
        entry = self._entries.get(output.as_posix())
        return entry.failures if entry and entry.key == key else 0

    def close(self) -> None:
        """Let another batch have the folder."""
        self._file.close()
        self._lock.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _is_there(self, path: str, digest: str) -> bool:
        try:
            with (self.folder / path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            return False

    def _take_lock(self) -> IO[bytes]:
        """Held until the process ends, however it does."""
        file = (self.house / "lock").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            msg = f"another batch is writing into {self.folder}"
            raise Conflict(msg) from error
        return file

    def _read(self, path: Path) -> bool:
        """Whether there was a ledger."""
        if not path.exists():
            return False
        with path.open("rb") as file:
            for line in file:
                try:
                    values = json.loads(line)
                    if "ledger" in values:
                        self.id = values["id"]
                    else:
                        entry = Entry.from_fields(values)
                        self._entries[entry.output] = entry
                except (ValueError, TypeError, KeyError, AttributeError):
                    continue  # torn by a crash
        return True


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values).encode() + b"\n"


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        if not file.tell():
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
