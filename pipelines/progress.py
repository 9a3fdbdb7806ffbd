"""How far a reframing is: its steps, who hears of them, and how long they took."""

import time
from enum import StrEnum
from typing import Protocol


class Step(StrEnum):
    """The steps of a reframing, in order; the first two happen once per source.

    Where several paintings are tried, those from ``outpaint`` to ``check`` happen again.
    """

    DECODE = "decode"
    DESCRIBE = "describe"
    PLAN = "plan"
    LAY_OUT = "lay_out"
    OUTPAINT = "outpaint"
    REFINE = "refine"
    COMPOSE = "compose"
    CHECK = "check"
    ENCODE = "encode"


class Progress(Protocol):
    """Hears how far a step is; raises JobCancelled to stop the job."""

    def __call__(self, step: str, fraction: float) -> None:
        """``fraction`` runs from 0 to 1 within ``step``."""
        ...


def ignore_progress(step: str, fraction: float) -> None:
    """Hear nothing and never stop."""


class Stopwatch:
    """Announces each step and keeps its wall time in seconds."""

    def __init__(self, progress: Progress, seconds: dict[str, float] | None = None) -> None:
        """Begin with the times of the steps already taken."""
        self.progress = progress
        self.seconds = dict(seconds or {})
        self._step: Step | None = None
        self._since = 0.0

    def start(self, step: Step) -> None:
        """End the running step, if any, and begin ``step``; the job may be stopped here."""
        self.stop()
        self.progress(step, 0.0)
        self._step, self._since = step, time.perf_counter()

    def stop(self) -> None:
        """End the running step."""
        if self._step is not None:
            taken = time.perf_counter() - self._since
            self.seconds[self._step.value] = self.seconds.get(self._step.value, 0.0) + taken
            self.progress(self._step, 1.0)
        self._step = None
