"""Libraries repeat themselves while a database is away: once a minute is enough."""

import logging
import time
from collections.abc import Callable

NOISY = ("dbos", "sqlalchemy", "psycopg")
WINDOW = 60.0
"""Seconds in which each place in their code is heard once."""


class Quiet(logging.Filter):
    """Lets the first of many alike through, and later says how many there were."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing was heard yet."""
        super().__init__()
        self._clock = clock
        self._heard: dict[tuple[str, int], float] = {}
        self._kept: dict[tuple[str, int], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written."""
        if not record.name.startswith(NOISY):
            return True
        place, now = (record.pathname, record.lineno), self._clock()
        if now - self._heard.get(place, -WINDOW) < WINDOW:
            self._kept[place] = self._kept.get(place, 0) + 1
            return False
        self._heard[place] = now
        if kept := self._kept.pop(place, 0):
            record.msg, record.args = f"{record.getMessage()} ({kept} more like this)", ()
        return True


def quieten() -> None:
    """Make the root logger's handlers quiet; DBOS then adds none of its own."""
    quiet = Quiet()
    for handler in logging.getLogger().handlers:
        handler.addFilter(quiet)
    books = logging.getLogger("dbos")
    books.addHandler(logging.NullHandler())
    books.setLevel(logging.WARNING)
