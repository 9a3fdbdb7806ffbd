"""A folder that pictures are put into: each is taken when it is whole, and when it changes."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import watchfiles

from server.batch.source import Input, search

SETTLED = 1.0
"""Seconds for which a file has to stay as it is before it counts as whole."""

LOOK_MS = 500
"""The longest between two looks: some disks, those over a network above all, tell of nothing."""


class _Look(NamedTuple):
    size: int
    changed: int
    """Nanoseconds, by the file system's clock."""


class Watch:
    """What is new in a folder, and in all below it."""

    def __init__(self, folder: Path, made: Path, stopping: threading.Event) -> None:
        """``made`` is left out: outputs are not pictures to be taken."""
        self._folder, self._made = folder, made.resolve()
        self._stopping = stopping
        self._taken: dict[Path, _Look] = {}
        self._growing: dict[Path, tuple[_Look, float]] = {}

    def rounds(self) -> Iterator[list[Input]]:
        """The pictures that have become whole since, each time that there are some."""
        for _ in watchfiles.watch(
            self._folder,
            watch_filter=None,
            stop_event=self._stopping,
            step=50,
            debounce=200,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
        ):
            if whole := self._look():
                yield whole

    def _look(self) -> list[Input]:
        now, whole = time.monotonic(), []
        growing: dict[Path, tuple[_Look, float]] = {}
        for item in search(self._folder, self._made):
            assert item.path is not None
            look = _look_at(item.path)
            if look is None or look == self._taken.get(item.path):
                continue
            before, since = self._growing.get(item.path, (look, now))
            since = since if before == look else now
            if now - since >= SETTLED:
                self._taken[item.path] = look
                whole.append(item)
            else:
                growing[item.path] = (look, since)
        self._growing = growing
        return whole


def _look_at(path: Path) -> _Look | None:
    """None for what is gone, or empty still."""
    try:
        found = path.stat()
    except OSError:
        return None
    return _Look(found.st_size, found.st_mtime_ns) if found.st_size else None
