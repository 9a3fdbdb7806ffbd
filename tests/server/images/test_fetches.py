"""A job's sources come a few at a time, in a time for all, and stop when nobody wants them."""

import socket
import threading
import time
from collections.abc import Callable

import pytest

from pipelines.errors import JobCancelled, SourceUnavailable
from server.errors import BlobMissing
from server.images import fetches
from server.images.fetch import Fetcher
from server.images.fetches import fetch_sources
from server.images.local_store import LocalStore
from server.jobs.order import Order, SizeTarget
from tests.server.images.loopback import Internet, say_ok, serve

FetcherIn = Callable[..., Fetcher]
JOB = "0190f3c2-7b1e-7000-8000-00000000000a"


def order(count: int) -> Order:
    sources = tuple(f"http://pictures.example/{number}.png" for number in range(count))
    return Order(sources=sources, targets=(SizeTarget(width=64, height=64),), seed=1)


class Crowd:
    """A server that answers once so many ask at the same time; more never may."""

    def __init__(self, size: int) -> None:
        self._together = threading.Barrier(size)
        self._lock = threading.Lock()
        self.inside = self.most = 0

    def __call__(self, wire: socket.socket) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self._together.wait(10)
        with self._lock:
            self.inside -= 1
        say_ok(b"picture")(wire)


def test_a_few_sources_come_at_the_same_time_and_never_more(
    store: LocalStore, internet: Internet, fetcher_in: FetcherIn
) -> None:
    crowd = Crowd(fetches.AT_ONCE)
    with serve(crowd) as server:
        internet.port = server.port
        fetch_sources(order(3 * fetches.AT_ONCE), JOB, lambda: None, store, fetcher_in(internet))
    assert crowd.most == fetches.AT_ONCE
    for number in range(3 * fetches.AT_ONCE):
        assert store.read(f"sources/{JOB}/fetched{number}") == b"picture"


class Drip:
    """Sends a byte now and then, until the other side hangs up: then ``left`` is set."""

    def __init__(self) -> None:
        self.asked, self.left = threading.Event(), threading.Event()

    def __call__(self, wire: socket.socket) -> None:
        self.asked.set()
        try:
            wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n")
            while True:
                wire.sendall(b"x")
                time.sleep(0.02)
        except OSError:
            self.left.set()


class Silence(Drip):
    """Says nothing at all."""

    def __call__(self, wire: socket.socket) -> None:
        self.asked.set()
        assert wire.recv(1) == b""
        self.left.set()


@pytest.mark.parametrize("kind", [Drip, Silence])
def test_a_job_that_is_to_stop_hangs_up_at_once(
    kind: type[Drip], store: LocalStore, internet: Internet, fetcher_in: FetcherIn
) -> None:
    script = kind()

    def heed() -> None:
        if script.asked.is_set():
            raise JobCancelled

    with serve(script) as server:
        internet.port = server.port
        with pytest.raises(JobCancelled):
            fetch_sources(order(20), JOB, heed, store, fetcher_in(internet, timeout=600))
        assert script.left.wait(10)
    assert len(server.requests) <= fetches.AT_ONCE
    with pytest.raises(BlobMissing):
        store.read(f"sources/{JOB}/fetched0")


def test_all_sources_together_have_a_time_of_their_own(
    store: LocalStore, internet: Internet, fetcher_in: FetcherIn
) -> None:
    drip = Drip()
    with serve(drip) as server:
        internet.port = server.port
        fetcher = fetcher_in(internet, timeout=600)
        with pytest.raises(SourceUnavailable, match=r"more than 0\.5 seconds together"):
            fetch_sources(order(9), JOB, lambda: None, store, fetcher, longest=0.5)
        assert drip.left.wait(10)


def test_the_first_failure_ends_the_others(
    store: LocalStore, internet: Internet, fetcher_in: FetcherIn
) -> None:
    drip, first = Drip(), threading.Lock()

    def script(wire: socket.socket) -> None:
        if not first.acquire(blocking=False):
            drip.asked.wait(10)
            wire.sendall(b"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n")
        else:
            drip(wire)

    with serve(script) as server:
        internet.port = server.port
        with pytest.raises(SourceUnavailable, match=r"source [12] of 2 \([01]\.png\): .* 404"):
            fetch_sources(order(2), JOB, lambda: None, store, fetcher_in(internet, timeout=600))
        assert drip.left.wait(10)
