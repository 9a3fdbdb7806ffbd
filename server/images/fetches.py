"""A job's sources that lie elsewhere: brought into the store, a few at a time, until told to stop.

This happens before the job is in line for a device, so that slow addresses hold up nobody else.
"""

import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread

from pipelines.errors import SourceUnavailable
from server.images.dial import Deadline
from server.images.fetch import Fetcher
from server.images.gather import fetched_blob, label_of, shelf_of
from server.images.label import named
from server.images.store import ImageStore
from server.jobs.contract import BLOB
from server.jobs.order import Order

AT_ONCE = 4
"""Addresses of one job that are asked at the same time."""

LONGEST = 300.0
"""Seconds for all sources of a job together."""

LOOK = 0.4
"""Seconds between two looks at whether the job should go on."""


def fetch_sources(
    order: Order,
    job_id: str,
    heed: Callable[[], None],
    store: ImageStore,
    fetcher: Fetcher,
    longest: float = LONGEST,
) -> None:
    """Put whatever the order names by its address under ``sources/<job>/fetched<n>``.

    ``heed`` is called again and again, and may raise to stop: then nothing is waited for.

    Raises:
        SourceUnavailable, SourceForbidden, ImageTooLarge: of a source, or of all together.
        StorageFull, Unavailable: of the store.
    """
    fetches = _Fetches(order, job_id, store, fetcher)
    end = time.monotonic() + longest
    fetches.start()
    try:
        while not fetches.wait(LOOK):
            heed()
            if time.monotonic() > end:
                raise SourceUnavailable(f"the sources took more than {longest:g} seconds together")
    finally:
        fetches.stop()
    fetches.check()


class _Fetches:
    """Threads of its own: one that hangs where nothing can wake it is left behind."""

    def __init__(self, order: Order, job_id: str, store: ImageStore, fetcher: Fetcher) -> None:
        self._order, self._store, self._fetcher = order, store, fetcher
        self._shelf = shelf_of(order, job_id)
        addresses = [n for n, source in enumerate(order.given) if not source.startswith(BLOB)]
        self._waiting = deque(addresses)
        self._left = len(addresses)
        self._running: set[Deadline] = set()
        self._failure: Exception | None = None
        self._changed = Condition()

    def start(self) -> None:
        for _ in range(min(AT_ONCE, self._left)):
            Thread(target=self._run, name="fetch", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether all have come, or one has failed."""
        with self._changed:
            self._changed.wait_for(self._is_over, seconds)
            return self._is_over()

    def stop(self) -> None:
        """Begin nothing more, and hang up."""
        with self._changed:
            self._waiting.clear()
            for deadline in self._running:
                deadline.cut()

    def check(self) -> None:
        """Raise what went wrong."""
        if self._failure:
            raise self._failure

    def _is_over(self) -> bool:
        return self._failure is not None or not self._left

    def _run(self) -> None:
        while (turn := self._next()) is not None:
            number, deadline = turn
            failure = None
            try:
                self._fetch(number, deadline)
            except Exception as error:  # noqa: BLE001  raised again by ``check``
                failure = error
            with self._changed:
                self._running.discard(deadline)
                self._left -= 1
                self._failure = self._failure or failure
                self._changed.notify_all()

    def _next(self) -> tuple[int, Deadline] | None:
        with self._changed:
            if not self._waiting:
                return None
            deadline = Deadline(self._fetcher.timeout)
            self._running.add(deadline)
            return self._waiting.popleft(), deadline

    def _fetch(self, number: int, deadline: Deadline) -> None:
        given = self._order.given
        source = given[number]
        with named("source", number, len(given), label_of(source)):
            data = self._fetcher.get(source, deadline).data
            deadline.left()  # what was stopped leaves nothing behind
            self._store.put(fetched_blob(self._shelf, number), data)
