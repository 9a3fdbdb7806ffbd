"""Servers on loopback that behave as badly as told, and an internet of names that leads to them."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from server.images.dial import Network

Script = Callable[[socket.socket], None]
PUBLIC = "93.184.216.34"


@dataclass
class Server:
    """Answers every connection with ``script``, once the request has come."""

    script: Script
    port: int
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """What each TLS client said whom it wants."""

    def answer(self, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        # a client that hangs up is what most of these tests are about
        with suppress(OSError), connection:
            wire = tls.wrap_socket(connection, server_side=True) if tls else connection
            with wire:
                self.requests.append(_read_request(wire))
                self.script(wire)


def _read_request(wire: socket.socket) -> bytes:
    seen = b""
    while b"\r\n\r\n" not in seen:
        piece = wire.recv(65536)
        if not piece:
            raise ConnectionError
        seen += piece
    head, _, body = seen.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < wanted:
        body += wire.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serve(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on loopback, until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(script, listener.getsockname()[1])
    if tls:
        tls.sni_callback = lambda _wire, name, _context: server.names.append(name)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=server.answer, args=(connection, tls), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def say(head: str, body: bytes = b"") -> Script:
    """A whole answer: status line and headers, a line each, and a body as it is."""
    lines = "\r\n".join(line.strip() for line in head.strip().splitlines())
    return lambda wire: wire.sendall(f"HTTP/1.1 {lines}\r\n\r\n".encode() + body)


def say_ok(body: bytes, media_type: str = "image/png") -> Script:
    return say(f"200 OK\nContent-Type: {media_type}\nContent-Length: {len(body)}", body)


@dataclass
class Internet:
    """Names with the addresses they have, one answer after the other; every road ends at ``port``.

    Literal addresses are read by the machine's own resolver, in all the spellings that it knows.
    """

    port: int = 9
    names: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host in self.names:
            answers = self.names[host]
            return answers.pop(0) if len(answers) > 1 else answers[0]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [str(place[0]) for *_, place in found]

    def dial(self, place: tuple[str, int], timeout: float) -> socket.socket:
        self.dialled.append(place)
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    @property
    def network(self) -> Network:
        return Network(self.resolve, self.dial)
