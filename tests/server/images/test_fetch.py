"""A fetch gives the bytes, within its limits and its time, or says in words why not."""

import gzip
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Sequence

import pytest
import trustme

from pipelines.errors import ImageTooLarge, SourceUnavailable
from server.errors import SourceForbidden
from server.images.address import EgressPolicy
from server.images.fetch import Fetcher
from tests.server.images.loopback import PUBLIC, Internet, Script, say, say_ok, serve

FetcherIn = Callable[..., Fetcher]
URL = "http://pictures.example/folder/Sea%20side.png?size=large#top"


@pytest.fixture
def internet() -> Internet:
    return Internet(names={"pictures.example": [[PUBLIC]], "other.example": [[PUBLIC]]})


def test_a_fetch_gives_the_bytes_their_type_and_a_name(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    with serve(say_ok(b"picture", "Image/PNG; charset=x")) as server:
        internet.port = server.port
        fetched = fetcher_in(internet).get(URL)
        assert fetched == (b"picture", "image/png", "Sea side.png")
        head = server.requests[0].decode().lower()
    assert head.startswith("get /folder/sea%20side.png?size=large http/1.1\r\n")
    assert "\r\nhost: pictures.example\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head
    assert "\r\nconnection: close\r\n" in head


def test_redirects_are_followed_and_the_name_stays_the_callers(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    def script(wire: socket.socket) -> None:
        hops = len(server.requests)
        if hops <= 3:
            say(f"30{hops} Hop\nLocation: /{hops}?x=1\nContent-Length: 0")(wire)
        else:
            say_ok(b"picture")(wire)

    with serve(script) as server:
        internet.port = server.port
        fetched = fetcher_in(internet).get(URL)
        assert fetched == (b"picture", "image/png", "Sea side.png")
        assert len(internet.dialled) == 4  # no connection is used twice


@pytest.mark.parametrize(
    "head", ["204 No Content", "206 Partial Content", "302 Found", "404 Not Found", "500 Oh"]
)
def test_an_answer_without_a_picture_is_named_by_its_status(
    head: str, internet: Internet, fetcher_in: FetcherIn
) -> None:
    with serve(say(f"{head}\nContent-Length: 0")) as server:
        internet.port = server.port
        with pytest.raises(SourceUnavailable, match=f"status {head[:3]}"):
            fetcher_in(internet).get(URL)


def test_a_false_media_type_is_not_judged_here_and_a_strange_one_is_dropped(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    for said, kept in (("text/html", "text/html"), ('a"b/c', "application/octet-stream")):
        with serve(say_ok(b"<html>", said)) as server:
            internet.port = server.port
            assert fetcher_in(internet).get(URL).media_type == kept


def test_a_body_of_just_the_limit_is_taken_and_one_byte_more_is_not(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    for extra in (0, 1):
        body = b"x" * (100_000 + extra)
        for script in (say_ok(body), say("200 OK", body)):
            with serve(script) as server:
                internet.port = server.port
                fetcher = fetcher_in(internet)
                if extra:
                    with pytest.raises(ImageTooLarge, match="more than 100000 bytes"):
                        fetcher.get(URL)
                else:
                    assert fetcher.get(URL).data == body


def test_an_endless_body_is_cut_off_and_costs_no_more_memory_than_the_limit(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    piece = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"

    def script(wire: socket.socket) -> None:
        say("200 OK\nTransfer-Encoding: chunked")(wire)
        while True:
            wire.sendall(piece)

    with serve(script) as server:
        internet.port = server.port
        tracemalloc.start()
        try:
            with pytest.raises(ImageTooLarge):
                fetcher_in(internet, max_bytes=8_000_000).get(URL)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 13_000_000


def test_a_length_over_the_limit_is_refused_before_the_body(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    over = threading.Event()

    def script(wire: socket.socket) -> None:
        say("200 OK\nContent-Length: 100001")(wire)
        over.wait(5)

    with serve(script) as server:
        internet.port = server.port
        with pytest.raises(ImageTooLarge):
            fetcher_in(internet).get(URL)
        over.set()


@pytest.mark.parametrize(
    "script",
    [
        say("200 OK\nContent-Length: 50", b"too short"),
        say("200 OK\nContent-Length: -1", b"x"),
        say("200 OK\nContent-Length: 1\nContent-Length: 2", b"xy"),
        say("200 OK\nTransfer-Encoding: chunked", b"zz\r\nnot a length"),
        say("200 OK\nTransfer-Encoding: chunked", b"5\r\nab"),
        say("200 OK\nX: " + "x" * 200_000),
        lambda wire: wire.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
        lambda wire: wire.close(),
    ],
)
def test_an_answer_that_breaks_off_or_lies_is_no_picture(
    script: Script, internet: Internet, fetcher_in: FetcherIn
) -> None:
    with serve(script) as server:
        internet.port = server.port
        with pytest.raises(SourceUnavailable) as failed:
            fetcher_in(internet).get(URL)
    assert_names_no_address(str(failed.value))


def assert_names_no_address(text: str) -> None:
    assert not any(part in text for part in ("127.0.0.1", PUBLIC, "example", "Errno"))


def test_a_compressed_body_is_refused_not_unpacked(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    body = gzip.compress(bytes(1_000_000))
    head = f"200 OK\nContent-Encoding: gzip\nContent-Length: {len(body)}"
    with serve(say(head, body)) as server:
        internet.port = server.port
        with pytest.raises(SourceUnavailable, match="compressed"):
            fetcher_in(internet).get(URL)


@pytest.mark.parametrize(
    "names", [{}, {"pictures.example": [[]]}, {"pictures.example": [[PUBLIC]]}]
)
def test_an_unknown_name_and_a_closed_door_are_told_without_an_address(
    names: dict[str, list[Sequence[str]]], fetcher_in: FetcherIn
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceUnavailable, match="cannot be reached") as failed:
        fetcher_in(Internet(port, names)).get(URL)
    assert_names_no_address(str(failed.value))


def test_https_asks_for_the_name_and_believes_only_its_certificate(
    internet: Internet, authority: trustme.CA, fetcher_in: FetcherIn
) -> None:
    """Both names have one address: what was proved for one of them must not help the other."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pictures.example").configure_cert(tls)
    with serve(say_ok(b"picture"), tls) as server:
        internet.port = server.port
        fetcher = fetcher_in(internet)
        assert fetcher.get("https://pictures.example/a.png").data == b"picture"
        for _ in range(2):
            with pytest.raises(SourceUnavailable, match="certificate") as failed:
                fetcher.get("https://other.example/a.png")
            assert_names_no_address(str(failed.value))
        assert server.names == ["pictures.example", "other.example", "other.example"]
        assert len(server.requests) == 1


def test_a_certificate_of_an_unknown_authority_is_not_believed(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("pictures.example").configure_cert(tls)
    with serve(say_ok(b"picture"), tls) as server:
        internet.port = server.port
        with pytest.raises(SourceUnavailable, match="certificate"):
            fetcher_in(internet).get("https://pictures.example/a.png")
        assert server.requests == []


@pytest.mark.parametrize("status", [200, 204, 301, 404, 410, 503])
def test_a_post_delivers_the_very_bytes_and_gives_the_status(
    status: int, internet: Internet, fetcher_in: FetcherIn
) -> None:
    body = b'{"event": "run.completed"}\x00\xff'
    with serve(say(f"{status} So\nContent-Length: 0\nLocation: /")) as server:
        internet.port = server.port
        headers = {"Content-Type": "application/json", "Runflow-Signature": "ab" * 32}
        assert fetcher_in(internet).post(URL, body, headers, 5.0) == status
        head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == body
    assert head.startswith(b"POST /folder/Sea%20side.png?size=large HTTP/1.1\r\n")
    assert b"\r\nRunflow-Signature: " + b"ab" * 32 in head


def test_a_dropped_post_is_told_without_an_address(
    internet: Internet, fetcher_in: FetcherIn
) -> None:
    with serve(lambda wire: wire.close()) as server:
        internet.port = server.port
        with pytest.raises(SourceUnavailable, match="no whole answer") as failed:
            fetcher_in(internet).post(URL, b"{}", {}, 5.0)
    assert_names_no_address(str(failed.value))


def test_a_fetcher_is_closed_unless_it_is_opened() -> None:
    with pytest.raises(SourceForbidden):
        Fetcher(EgressPolicy(), 1000).get("http://127.0.0.1:9/")
