"""The device, which does one thing at a time, or a few, and each job's share of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import datetime
from functools import wraps
from threading import Condition
from typing import Any, ParamSpec, TypeVar

from pipelines.engine import Engine

Rank = tuple[datetime, str]
"""A job's age, and its id: who came first goes first."""

Given = ParamSpec("Given")
Made = TypeVar("Made")

LOOK = 0.2
"""Seconds between two looks of who waits at whether it still should."""


class Device:
    """Whoever's turn it is has it; of those who wait, the lowest rank comes first."""

    def __init__(self, places: int = 1, clock: Callable[[], float] = time.perf_counter) -> None:
        """``places`` may have it together: more than one for an engine that makes batches."""
        self._changed = Condition()
        self._waiting: set[Rank] = set()
        self._places = self._free = places
        self._clock = clock
        self._worked, self._read = 0.0, clock()

    def worked(self) -> float:
        """A clock of each one's share, in seconds: it goes half as fast while two have the device.

        So all jobs' shares together are the time in which anybody had it.
        """
        with self._changed:
            return self._advance()

    @contextmanager
    def turn(self, rank: Rank, meanwhile: Callable[[], None]) -> Iterator[None]:
        """Have it for the block; ``meanwhile`` is called while waiting, and may raise to stop."""
        with self._changed:
            self._waiting.add(rank)
        try:
            while not self._take(rank):
                meanwhile()
        finally:
            with self._changed:
                self._waiting.discard(rank)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._advance()
                self._free += 1
                self._changed.notify_all()

    def _take(self, rank: Rank) -> bool:
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_next(rank), LOOK):
                return False
            self._advance()
            self._free -= 1
            return True

    def _advance(self) -> float:
        now = self._clock()
        self._worked += (now - self._read) / max(1, self._places - self._free)
        self._read = now
        return self._worked

    def _is_next(self, rank: Rank) -> bool:
        return self._free > 0 and rank == min(self._waiting)


class Share:
    """A job's turns on the device, and how many ``seconds`` of them were its own.

    While several have the device together, each has its part of the time. ``waited`` has the
    seconds before the turns, by the engine's parts. Between two turns, while the job composes or
    encodes, another one has the device.
    """

    def __init__(
        self,
        device: Device,
        rank: Rank,
        *,
        begin: Callable[[], None],
        meanwhile: Callable[[], None],
    ) -> None:
        """``begin`` is called first thing in each turn; it may raise to have none."""
        self._device, self._rank = device, rank
        self._begin, self._meanwhile = begin, meanwhile
        self.seconds = 0.0
        self.waited: dict[str, float] = {}

    def of(self, engine: Engine) -> Engine:
        """The same engine, whose every call is a turn."""
        parts = {part.name: getattr(engine, part.name) for part in fields(engine)}
        held: dict[str, Any] = {
            name: self._hold(name, part) for name, part in parts.items() if callable(part)
        }
        return replace(engine, **held)

    def _hold(self, name: str, work: Callable[Given, Made]) -> Callable[Given, Made]:
        @wraps(work)
        def turn(*args: Given.args, **kwargs: Given.kwargs) -> Made:
            came = time.perf_counter()
            with self._device.turn(self._rank, self._meanwhile):
                self._begin()
                self.waited[name] = self.waited.get(name, 0.0) + time.perf_counter() - came
                since = self._device.worked()
                try:
                    return work(*args, **kwargs)
                finally:
                    self.seconds += self._device.worked() - since

        return turn
