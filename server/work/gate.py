"""Who may work beside others, and who must be alone: a job that may have ended a worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Gate:
    """Lets jobs in together, and suspects one at a time with nobody beside them.

    When a worker process ends for no known reason, every job in it is a suspect. Tried alone, the
    culprit betrays itself, and the others are not given up with it.
    """

    def __init__(self) -> None:
        """Nobody is inside."""
        self._changed = Condition()
        self._inside: set[str] = set()
        self._suspects = 0
        self._is_alone = False

    @contextmanager
    def enter(self, job_id: str, *, alone: bool) -> Iterator[None]:
        """Wait for the turn, and stay inside for the block."""
        with self._changed:
            self._suspects += alone
            self._changed.wait_for(lambda: self._is_open(alone=alone))
            self._suspects -= alone
            self._is_alone = alone
            self._inside.add(job_id)
        try:
            yield
        finally:
            with self._changed:
                self._inside.discard(job_id)
                self._is_alone = False
                self._changed.notify_all()

    def inside(self) -> frozenset[str]:
        """The jobs that are being tried at this moment."""
        with self._changed:
            return frozenset(self._inside)

    def _is_open(self, *, alone: bool) -> bool:
        if alone:
            return not self._inside
        return not self._is_alone and not self._suspects
