"""The house: the API and a worker for each device, kept running until told to stop."""

import http.client
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType

import structlog

from server.errors import Unavailable
from server.settings import Settings
from server.work.child import Child
from server.work.environment import make_environment

LOOK = 0.1
"""Seconds between two looks at the children."""

LONGEST_PAUSE = 2.0
"""Seconds between two questions whether all is ready, growing up to this."""

GRACE = 12.0
"""Seconds that a child has beyond the draining time to end by itself; freeing memory is slow."""

HOPELESS = (2, 3, 69)
"""Exit codes of a child that would end the same way again: option, engine, seat taken."""

MOST_FAILURES = 5
"""Quick ends in a row after which a house that was never ready gives up."""

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  how to reach who listens everywhere

log = structlog.get_logger("server.work")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the API listens, and how this machine reaches it."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """For people and browsers."""
        host = ANYWHERE.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def answers(self, path: str) -> bool:
        """Whether ``path`` is met with 200."""
        host = ANYWHERE.get(self.host, self.host)
        connection = http.client.HTTPConnection(host, self.port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Supervisor:
    """Runs the API, and workers for ``devices``; without devices the workers are elsewhere."""

    def __init__(self, settings: Settings, devices: Sequence[str]) -> None:
        """The database is ready before.

        Raises:
            Unavailable: somebody else listens on the address.
        """
        self._address = _find_address(settings.host, settings.port)
        self._settings = settings.model_copy(update={"port": self._address.port})
        self._ready_path = "/readyz" if devices else "/healthz"
        environment = make_environment(self._settings)
        python = [sys.executable, "-m"]
        self._children = [Child("api", [*python, "server.api"], environment)]
        for device in devices:
            command = [*python, "server.work", device]
            self._children.append(Child(f"worker {device}", command, environment))
        self._signals = 0
        self._is_announced = False
        self._asked, self._pause = 0.0, LOOK

    def run(self) -> int:
        """Until SIGTERM or SIGINT; returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)
        code = None
        while not self._signals and code is None:
            code = self._look()
            self._announce()
            time.sleep(LOOK)
        self._stop()
        return code or 0

    def _hear(self, number: int, _: FrameType | None) -> None:
        """The first signal asks for an orderly end, the second for any."""
        self._signals += 1
        if self._signals > 1:
            for child in self._children:
                child.send(signal.SIGKILL)
        log.info("told to stop", signal=signal.Signals(number).name)

    def _look(self) -> int | None:
        """Start whatever does not run; an exit code if there is no hope."""
        for child in self._children:
            ended = child.look()
            if ended is None or self._is_announced:
                continue
            if ended in HOPELESS or child.failures >= MOST_FAILURES:
                return ended if ended > 0 else 1
        return None

    def _announce(self) -> None:
        """Say once where the house can be reached, when it can."""
        now = time.monotonic()
        if self._is_announced or now < self._asked + self._pause:
            return
        self._asked, self._pause = now, min(LONGEST_PAUSE, 1.2 * self._pause)
        if self._address.answers(self._ready_path):
            self._is_announced = True
            sys.stdout.write(f"Smart Resize is ready at {self._address.url}\n")
            sys.stdout.flush()

    def _stop(self) -> None:
        deadline = time.monotonic() + self._settings.drain + GRACE
        for child in self._children:
            child.send(signal.SIGTERM)
        for child in self._children:
            child.wait(deadline - time.monotonic())


def _find_address(host: str, port: int) -> Address:
    """A port that is free now, so that all children know it before any of them starts."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.create_server((host, port), family=family) as listener:
            return Address(host, listener.getsockname()[1])
    except OSError as error:
        words = error.strerror or "not an address of this machine"
        msg = f"cannot listen on {host}:{port}: {words.lower()}"
        raise Unavailable(msg) from error
