"""Timing work on a device that runs behind the program: every time ends when the device is done."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch


class Timing(NamedTuple):
    """Median of the rounds in s, and how far they lie apart, as a share of it."""

    seconds: float
    spread: float


@dataclass(slots=True)
class Clock:
    """Measures on one device until its time is up; a measurement that was begun is finished."""

    hardware: torch.device
    rounds: int
    until: float

    def wait(self) -> None:
        """Let the device finish what it was given."""
        if self.hardware.type == "cuda":
            torch.cuda.synchronize(self.hardware)

    def once(self, work: Callable[[], object]) -> float:
        """How long it takes, in s."""
        self.wait()
        start = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - start

    def measure(self, work: Callable[[], object], rounds: int | None = None) -> Timing:
        """As many rounds as fit into the time, at least one, and one before them to warm up.

        Where a clock has only one round, that is it: its numbers mean nothing anyway.
        """
        if self.rounds > 1:
            work()
        times = [self.once(work)]
        while len(times) < (rounds or self.rounds) and time.monotonic() < self.until:
            times.append(self.once(work))
        middle = statistics.median(times)
        return Timing(middle, (max(times) - min(times)) / middle)
