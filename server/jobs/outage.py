"""A database that is away for a while: saying so, and waiting for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError as PoolTimeout

from server.errors import DatabaseUnavailable

log = structlog.get_logger("server.jobs")

Answer = TypeVar("Answer")

LONGEST = 2.0
"""Seconds between two tries, at most."""


@contextmanager
def reaching() -> Iterator[None]:
    """Say DatabaseUnavailable where the database cannot be reached, or cannot write."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise DatabaseUnavailable from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable from error
        raise


class Outage:
    """One line in the log where a database goes away, and one where it answers again."""

    def __init__(self) -> None:
        """It is there."""
        self._since: float | None = None

    def begin(self, error: Exception) -> None:
        """It does not answer; only the first time is news."""
        if self._since is None:
            self._since = time.monotonic()
            log.warning("the database does not answer", error=type(error).__name__)

    def end(self) -> None:
        """It answers."""
        if self._since is not None:
            away = round(time.monotonic() - self._since, 1)
            self._since = None
            log.warning("the database answers again", away=away)


def insist(ask: Callable[[], Answer]) -> Answer:
    """Ask until the database answers: a worker has nothing better to do."""
    pause, outage = 0.1, Outage()
    while True:
        try:
            with reaching():
                answer = ask()
        except DatabaseUnavailable as error:
            outage.begin(error)
            time.sleep(pause)
            pause = min(LONGEST, 2 * pause)
        else:
            outage.end()
            return answer
