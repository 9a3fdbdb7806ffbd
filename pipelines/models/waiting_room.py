"""Who waits for the device, and whose turn it is: a pure policy, told the time by its caller."""

import math
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

Kind = TypeVar("Kind", bound=Hashable)
Guest = TypeVar("Guest")


class Party(NamedTuple, Generic[Kind, Guest]):
    """Guests of one kind who go in together, those who came first at the front."""

    kind: Kind
    guests: list[Guest]


class _Line(NamedTuple, Generic[Guest]):
    """The guests of one kind and the times at which they came, in s."""

    guests: deque[Guest]
    times: deque[float]


class WaitingRoom(Generic[Kind, Guest]):
    """Guests gather by kind until they are enough or the first of them has lost patience.

    Among those who may go, the kind whose first guest has waited longest goes first, so nobody
    waits for ever behind a flood of another kind. Times are in s, on any clock that never goes
    back.
    """

    def __init__(self, patience: float, rows: Callable[[Kind], int]) -> None:
        """Wait ``patience`` s for company; ``rows`` says how many of a kind go in at most."""
        self._patience = patience
        self._rows = rows
        self._lines: dict[Kind, _Line[Guest]] = {}

    def __len__(self) -> int:
        """Guests who wait."""
        return sum(len(line.guests) for line in self._lines.values())

    def enter(self, guest: Guest, kind: Kind, now: float) -> None:
        """Come in and stand at the end of the line of one's kind."""
        line = self._lines.setdefault(kind, _Line(deque(), deque()))
        line.guests.append(guest)
        line.times.append(now)

    def call_in(self, now: float) -> Party[Kind, Guest] | None:
        """Let those out whose turn it is, or None; ask when the device is free."""
        ready = [kind for kind in self._lines if self._when(kind) <= now]
        if not ready:
            return None
        kind = min(ready, key=lambda kind: self._lines[kind].times[0])
        guests, times = self._lines[kind]
        party = [guests.popleft() for _ in range(min(self._rows(kind), len(guests)))]
        for _ in party:
            times.popleft()
        if not guests:
            del self._lines[kind]
        return Party(kind, party)

    def next_turn(self) -> float | None:
        """From when on somebody may go if nobody else comes; None where nobody waits."""
        return min(map(self._when, self._lines), default=None)

    def _when(self, kind: Kind) -> float:
        """From when on a kind may go."""
        guests, times = self._lines[kind]
        return -math.inf if len(guests) >= self._rows(kind) else times[0] + self._patience
