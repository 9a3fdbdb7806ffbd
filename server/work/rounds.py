"""What a worker does again and again beside its jobs, every two seconds."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import NoReturn

import structlog
from sqlalchemy.exc import DBAPIError

from server.errors import DatabaseUnavailable
from server.jobs.outage import Outage, reaching
from server.work.pulse import Pulse
from server.work.recovery import Recovery
from server.work.retention import Retention
from server.work.seats import Seat, Seats

EVERY = 2.0
"""Seconds between two rounds; a job of a worker that is gone waits no longer than this."""

SWEEP_EVERY = 60.0
"""Seconds between two looks for what has been kept long enough."""

SWEEPER = "sweeper"
"""The seat of whoever sweeps: one is enough."""

ROBBED = 5
"""Rounds after which somebody who sits on our seat has not just looked whether it is free."""

log = structlog.get_logger("server.work")


@dataclass(frozen=True, slots=True)
class Duties:
    """Everything that is done in a round."""

    seat: Seat
    seats: Seats
    pulse: Pulse
    recovery: Recovery
    retention: Retention
    abandon: Callable[[], NoReturn]


class Rounds:
    """Goes its rounds in threads of its own, whatever happens in them.

    The sweep, which may take long, has one for itself: no sign of life waits for it.
    """

    def __init__(self, duties: Duties) -> None:
        """``start`` begins."""
        self._duties = duties
        self._stop = Event()
        self._robbed = 0
        self._outage = Outage()

    def start(self) -> None:
        """From now on."""
        Thread(target=self._run, name="rounds", daemon=True).start()
        Thread(target=self._run_sweeps, name="sweeps", daemon=True).start()

    def stop(self) -> None:
        """No more signs of life, for the worker takes up nothing more."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._go_round()
            self._stop.wait(EVERY)

    def _run_sweeps(self) -> None:
        while not self._stop.wait(SWEEP_EVERY):
            with suppress(DatabaseUnavailable, DBAPIError):  # the rounds say so
                _attempt(self._sweep)

    def _go_round(self) -> None:
        """Every duty, unless the database is away: then the next round makes up for it."""
        try:
            for duty in (self._hold_seat, self._beat, self._recover):
                _attempt(duty)
        except (DatabaseUnavailable, DBAPIError) as error:
            self._outage.begin(error)
        else:
            self._outage.end()

    def _hold_seat(self) -> None:
        try:
            ours = self._duties.seat.confirm()
        except DBAPIError:
            self._duties.recovery.be_calm()
            raise
        self._robbed = 0 if ours else self._robbed + 1
        if self._robbed >= ROBBED:
            log.error("another process works on this device")
            self._duties.abandon()

    def _beat(self) -> None:
        if not self._stop.is_set():
            self._duties.pulse.beat()

    def _recover(self) -> None:
        self._duties.recovery.go_round()

    def _sweep(self) -> None:
        seat = self._duties.seats.take(SWEEPER)
        if seat is not None:
            try:
                self._duties.retention.go_round()
            finally:
                seat.leave()


def _attempt(duty: Callable[[], object]) -> None:
    """Do what the next round makes up for if it does not work now.

    Raises:
        DatabaseUnavailable, DBAPIError: the database is away.
    """
    try:
        with reaching():
            duty()
    except (DatabaseUnavailable, DBAPIError):
        raise
    except Exception:
        log.exception("a round failed")
