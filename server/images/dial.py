"""The way out: a name is resolved once, all its addresses are judged, and a judged one is dialled.

This sits below HTTP, where redirects, odd spellings and names that change their address have all
come down to an address. TLS begins above it and still verifies the name that the URL had.
"""
# ruff: noqa: ARG002  the library's own timeouts and options give way to the deadline

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

import httpcore2

from server.errors import SourceForbidden
from server.images.address import EgressPolicy, Origin

BLOCKED = (
    "this server fetches only from public https addresses on the usual ports; "
    "its operator can allow other hosts"
)
"""The same for all that is refused, so that nobody can map a network by asking."""

_PIECE = 16 * 1024
"""Bytes sent under one look at the clock: a TLS record."""


class Network(NamedTuple):
    """The machine's own way to names and addresses.

    ``resolve`` gives the addresses of a host and port; ``dial`` connects to an address and port
    within some seconds. Both raise OSError.
    """

    resolve: Callable[[str, int], Sequence[str]]
    dial: Callable[[tuple[str, int], float], socket.socket]


class Deadline:
    """A moment after which nothing is waited for."""

    def __init__(self, seconds: float) -> None:
        """``seconds`` from now on."""
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._held: socket.socket | None = None

    def hold(self, connection: socket.socket) -> None:
        """Keep the connection that ``cut`` hangs up."""
        self._held = connection

    def cut(self) -> None:
        """Let it be now, from another thread: who waits on the connection is woken up."""
        self._end = 0.0
        if self._held is not None:
            with suppress(OSError):
                self._held.shutdown(socket.SHUT_RDWR)

    def left(self) -> float:
        """Seconds until then, more than 0; raises TimeoutError afterwards."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects to one origin, within the policy and the deadline."""

    def __init__(
        self, origin: Origin, policy: EgressPolicy, deadline: Deadline, network: Network
    ) -> None:
        """For one connection; another origin needs another backend."""
        self._origin = origin
        self._policy = policy
        self._deadline = deadline
        self._network = network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolve, judge, dial.

        Raises:
            SourceForbidden: one of the addresses may not be dialled; then none is.
            OSError: there is no such name, nobody answers, or not in time.
        """
        if (host, port) != self._origin[1:]:
            raise SourceForbidden(BLOCKED)
        addresses = self._resolve()
        for address in addresses:
            if not self._policy.allows(self._origin, address):
                raise SourceForbidden(BLOCKED)
        return TimedStream(self._dial(addresses), self._deadline)

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Never: no URL leads to a socket on this machine."""
        raise SourceForbidden(BLOCKED)

    def _resolve(self) -> list[str]:
        """Ask in a thread of its own, for a resolver cannot be told when to stop."""
        answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                found = self._network.resolve(self._origin.host, self._origin.port)
                answers.put(list(dict.fromkeys(found)))
            except Exception as error:  # noqa: BLE001  raised again where it is waited for
                answers.put(error)

        threading.Thread(target=ask, name="resolve", daemon=True).start()
        try:
            answer = answers.get(timeout=self._deadline.left())
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _dial(self, addresses: Sequence[str]) -> socket.socket:
        """The first address that answers; each gets its share of the time that is left."""
        failure = OSError("the name has no address")
        for number, address in enumerate(addresses):
            share = self._deadline.left() / (len(addresses) - number)
            try:
                connection = self._network.dial((address, self._origin.port), share)
            except OSError as error:
                failure = error
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
        raise failure


class TimedStream(httpcore2.NetworkStream):
    """A connection on which every wait ends with the deadline, however slow the other side is."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        """Takes the connection over."""
        self._connection = connection
        self._deadline = deadline
        deadline.hold(connection)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come, at most ``max_bytes``; empty at the end."""
        self._connection.settimeout(self._deadline.left())
        return self._connection.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of ``buffer``."""
        for start in range(0, len(buffer), _PIECE):
            self._connection.settimeout(self._deadline.left())
            self._connection.sendall(buffer[start : start + _PIECE])

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """The same connection under TLS; raises ssl.SSLError for a certificate of somebody else."""
        try:
            self._connection.settimeout(self._deadline.left())
            secured = ssl_context.wrap_socket(
                self._connection, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            self._connection = secured
            self._deadline.hold(secured)
            secured.do_handshake()
        except BaseException:
            self.close()
            raise
        return TimedStream(secured, self._deadline)


def resolve(host: str, port: int) -> list[str]:
    """All addresses that the machine's resolver gives."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


INTERNET = Network(resolve, socket.create_connection)
