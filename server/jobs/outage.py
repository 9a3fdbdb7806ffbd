"""A database that is away for a while: saying so, and waiting for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError as PoolTimeout

from server.errors import DatabaseUnavailable

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


def insist(ask: Callable[[], Answer]) -> Answer:
    """Ask until the database answers: a worker has nothing better to do."""
    pause = 0.1
    while True:
        try:
            with reaching():
                return ask()
        except DatabaseUnavailable:
            time.sleep(pause)
            pause = min(LONGEST, 2 * pause)
