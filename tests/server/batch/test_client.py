"""A client's patience: with a server that is busy, away, or wrong for good."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipelines.errors import ImageUndecodable, InvalidOption, JobCancelled, RequestError
from server.batch.client import Client
from server.batch.errors import make_error
from server.errors import InternalError, JobNotFound, Unauthenticated, Unavailable

Answer = tuple[int, dict[str, str], bytes]
GOOD: Answer = (200, {}, b"good")


@contextmanager
def answering(answers: Sequence[Answer]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on loopback that gives these answers, the last one for ever."""
    heard: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append({"path": self.path, **dict(self.headers)})
            status, headers, body = answers[min(len(heard), len(answers)) - 1]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def make(base: str, patience: float = 30) -> Client:
    return Client(base, "secret", threading.Event(), patience)


def test_a_busy_server_is_asked_again_when_it_says_even_without_patience() -> None:
    busy = (429, {"Retry-After": "1"}, b'{"code": "QUEUE_FULL", "message": "full"}')
    with answering([busy, busy, GOOD]) as (base, heard):
        assert make(base, patience=0).ask("GET", "/x").content == b"good"
    assert [each["path"] for each in heard] == ["/x"] * 3


@pytest.mark.parametrize("status", [502, 503, 504, 507])
def test_a_server_that_is_away_comes_back(status: int) -> None:
    with answering([(status, {}, b"<html>"), GOOD]) as (base, heard):
        assert make(base).ask("GET", "/x").content == b"good"
    assert len(heard) == 2


def test_a_defect_is_tried_again_but_not_for_ever() -> None:
    with answering([(500, {}, b"?"), GOOD]) as (base, _):
        assert make(base).ask("GET", "/x").content == b"good"
    with answering([(500, {}, b"?")]) as (base, heard), pytest.raises(InternalError):
        make(base).ask("GET", "/")
    assert len(heard) == 3


def test_patience_ends() -> None:
    with answering([(503, {}, b"")]) as (base, _), pytest.raises(Unavailable):
        make(base, patience=0).ask("GET", "/")
    with pytest.raises(Unavailable, match="does not answer"):
        make("http://127.0.0.1:9", patience=0).ask("GET", "/")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "UNAUTHORIZED", Unauthenticated),
        (404, "JOB_NOT_FOUND", JobNotFound),
        (422, "IMAGE_UNDECODABLE", ImageUndecodable),
        (422, "NEW_CODE", RequestError),
    ],
)
def test_what_another_try_would_not_change_is_an_error_of_ours(
    status: int, code: str, kind: type[Exception]
) -> None:
    body = f'{{"code": "{code}", "message": "so it is"}}'.encode()
    with answering([(status, {}, body)]) as (base, heard), pytest.raises(kind, match="so it is"):
        make(base).ask("GET", "/")
    assert len(heard) == 1


def test_the_key_goes_to_the_server_and_not_along_with_links() -> None:
    with answering([GOOD]) as (base, heard):
        client = make(base)
        client.ask("GET", "/a", headers={"Prefer": "wait=1"})
        client.fetch(f"{base}/b")
    assert heard[0]["Authorization"] == "Bearer secret"
    assert heard[0]["Prefer"] == "wait=1"
    assert "Authorization" not in heard[1]


def test_who_is_to_stop_waits_for_nothing() -> None:
    with answering([(429, {"Retry-After": "300"}, b"")]) as (base, _):
        client = make(base)
        client.stopping.set()
        with pytest.raises(JobCancelled):
            client.ask("GET", "/")


def test_no_address_is_a_wrong_option() -> None:
    for base in ("nowhere", "ftp://x"):
        with pytest.raises(InvalidOption, match="not the address of a server"):
            make(base).ask("GET", "/")


def test_a_failure_that_nobody_knows_keeps_its_words() -> None:
    assert make_error("UNHEARD_OF", "words").detail == "words"
    assert isinstance(make_error("UNREACHABLE_BUDGET", "words"), RequestError)
    assert not isinstance(make_error("RUN_CANCELED", "words"), JobCancelled)
