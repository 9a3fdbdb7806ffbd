"""Bodies that nobody may send cost no memory, however many come at once."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from server.access.key_store import KeyStore
from server.database.engine import database_url, open_database
from server.settings import Settings
from server.work.environment import make_environment
from server.work.preparation import prepare_database
from tests.house.house import ROOT

MOST_BODY = 20_000_000
CALLERS = 50
MOST_GROWN = 40_000_000
"""Bytes: far less than even three of the bodies."""

PIECE = b"x" * 65_536


class Server:
    """The API in a process of its own, and what it takes."""

    def __init__(self, folder: Path) -> None:
        url = database_url(folder, None)
        prepare_database(url)
        engine = open_database(url)
        _, self.secret = KeyStore(engine).create("studio")
        engine.dispose()
        settings = Settings(data=folder, port=0, min_free=0, max_body=MOST_BODY)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server.api"],
            env=make_environment(settings),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def highest(self) -> int:
        """Bytes of memory that it has had at once since it began."""
        found = re.search(r"VmHWM:\s+(\d+) kB", self._status())
        assert found
        return int(found[1]) * 1024

    def _status(self) -> str:
        return Path(f"/proc/{self.process.pid}/status").read_text()

    def send(self, head: str, pieces: int) -> bytes:
        """A request whose body never ends by itself; the beginning of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as wire:
            wire.sendall(head.encode())
            with suppress(OSError):
                for _ in range(pieces):
                    wire.sendall(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
            with suppress(OSError):
                return wire.recv(4096)
        return b""

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.close()


PATHS = (
    "/v1/models/local/smart-resize/runs",
    "/v1/asset-uploads",
    "/uploads/nobody",
    "/fal-ai/smart-resize",
    "/v1/run",
)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_bodies_without_a_key_are_not_kept(server: Server, path: str) -> None:
    method = "PUT" if path.startswith("/uploads") else "POST"
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    server.send(head, 1)  # what every process needs once
    before, answers = server.highest(), []

    def call() -> None:
        answers.append(server.send(head, MOST_BODY // len(PIECE) - 10))

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(120)
    assert server.highest() - before < MOST_GROWN
    told = [answer.split(b" ")[1] for answer in answers if answer]
    assert set(told) <= {b"401", b"404"}
