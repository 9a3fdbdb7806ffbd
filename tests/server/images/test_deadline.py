"""However slow a name, a server or a receiver is, a fetch ends when its time is over."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from pipelines.errors import SourceUnavailable
from server.images.address import EgressPolicy
from server.images.dial import Network
from server.images.fetch import Fetcher
from tests.server.images.loopback import PUBLIC, Internet, Script, say, say_ok, serve

FetcherIn = Callable[..., Fetcher]
URL = "http://pictures.example/sea.png"
FREE = EgressPolicy(http=True)
SLACK = 0.5


def drip(piece: bytes, before: bytes = b"") -> Script:
    """Something every now and then, so that no single wait is long."""

    def script(wire: socket.socket) -> None:
        wire.sendall(before)
        while True:
            wire.sendall(piece)
            time.sleep(0.02)

    return script


@pytest.mark.parametrize(
    "script",
    [
        drip(b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n"),
        drip(b"X-Slow: yes\r\n", b"HTTP/1.1 200 OK\r\n"),
        drip(b"HTTP/1.1 102 Processing\r\n\r\n"),
        lambda wire: time.sleep(1),
    ],
    ids=["body", "headers", "informational", "silence"],
)
def test_a_slow_answer_ends_at_the_deadline(
    script: Script, internet: Internet, fetcher_in: FetcherIn
) -> None:
    with serve(script) as server:
        internet.port = server.port
        start = time.monotonic()
        with pytest.raises(SourceUnavailable, match=r"took too long, more than 0\.3 seconds"):
            fetcher_in(internet, timeout=0.3).get(URL)
        assert time.monotonic() - start < 0.3 + SLACK


@pytest.mark.parametrize(
    "script",
    [drip(b"X-Slow: yes\r\n", b"HTTP/1.1 200 OK\r\n"), lambda wire: time.sleep(1)],
    ids=["headers", "silence"],
)
def test_a_slow_answer_to_a_post_ends_at_the_deadline(
    script: Script, internet: Internet, fetcher_in: FetcherIn
) -> None:
    with serve(script) as server:
        internet.port = server.port
        start = time.monotonic()
        with pytest.raises(SourceUnavailable, match=r"took too long, more than 0\.2 seconds"):
            fetcher_in(internet).post(URL, b"{}", {}, 0.2)
        assert time.monotonic() - start < 0.2 + SLACK


def test_one_deadline_covers_all_redirects(internet: Internet, fetcher_in: FetcherIn) -> None:
    def script(wire: socket.socket) -> None:
        time.sleep(0.15)
        say("302 Found\nLocation: /on\nContent-Length: 0")(wire)

    with serve(script) as server:
        internet.port = server.port
        start = time.monotonic()
        with pytest.raises(SourceUnavailable, match="took too long"):
            fetcher_in(internet, timeout=0.3).get(URL)
        assert time.monotonic() - start < 0.3 + SLACK


def test_a_silent_tls_server_ends_at_the_deadline(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # accepts, and never says a word
        internet.port = listener.getsockname()[1]
        start = time.monotonic()
        with pytest.raises(SourceUnavailable, match="took too long"):
            fetcher_in(internet, timeout=0.2).get("https://pictures.example/")
        assert time.monotonic() - start < 0.2 + SLACK


def test_a_resolver_that_hangs_ends_at_the_deadline(
    internet: Internet, trusting: ssl.SSLContext
) -> None:
    over = threading.Event()

    def hang(host: str, port: int) -> Sequence[str]:
        over.wait(5)
        return [PUBLIC]

    fetcher = Fetcher(FREE, 1000, 0.2, trusting, Network(hang, internet.dial))
    start = time.monotonic()
    with pytest.raises(SourceUnavailable, match="took too long"):
        fetcher.get(URL)
    assert time.monotonic() - start < 0.2 + SLACK
    over.set()
    assert internet.dialled == []


def test_an_address_that_is_dead_leaves_time_for_the_next(
    internet: Internet, trusting: ssl.SSLContext
) -> None:
    def dial(place: tuple[str, int], timeout: float) -> socket.socket:
        if place[0] == PUBLIC:
            return internet.dial(place, timeout)
        time.sleep(min(timeout, 2))
        raise TimeoutError

    internet.names["pictures.example"] = [["2606:2800:220:1::1", PUBLIC]]
    with serve(say_ok(b"picture")) as server:
        internet.port = server.port
        fetcher = Fetcher(FREE, 1000, 0.5, trusting, Network(internet.resolve, dial))
        assert fetcher.get(URL).data == b"picture"


def test_a_post_does_not_wait_for_the_end_of_the_answer(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    with serve(drip(b"x" * 1000, b"HTTP/1.1 200 OK\r\n\r\n")) as server:
        internet.port = server.port
        assert fetcher_in(internet).post(URL, b"{}", {}, 0.3) == 200


def test_a_post_to_a_receiver_that_stops_reading_ends_at_the_deadline(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        internet.port = listener.getsockname()[1]
        start = time.monotonic()
        with pytest.raises(SourceUnavailable, match="took too long"):
            fetcher_in(internet).post(URL, bytes(20_000_000), {}, 0.3)
        assert time.monotonic() - start < 0.3 + SLACK
