"""Asks a server, with patience: it may be busy, restarting or out of reach for a while."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx2

from pipelines.errors import InvalidOption, JobCancelled, ReframeError
from server.batch.errors import read_error
from server.errors import InternalError, Overloaded, RateLimited, Unavailable

BUSY = 429
AWAY = frozenset({502, 503, 504, 507})
"""What a server, or what stands before it, answers while it cannot work."""

DEFECT = 500
MOST_DEFECTS = 3
"""Tries of what a server fails at: one that is being stopped may fail so too."""

FIRST, LONGEST = 0.25, 10.0
"""Seconds between two tries, growing."""

LONGEST_BUSY = 300.0
"""Seconds that a server's own word on when to come back is believed."""

TIMEOUT = httpx2.Timeout(20, read=120, write=120)


@dataclass(frozen=True, slots=True)
class Client:
    """One server and a key for it; may be used by several threads.

    ``patience`` is for how many seconds a server may be away; one that is merely busy is waited
    for without end. Once ``stopping`` is set nothing is waited for.
    """

    base: str
    key: str | None
    stopping: threading.Event
    patience: float = 600.0
    _http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=TIMEOUT))

    def ask(self, method: str, path: str, **given: Any) -> httpx2.Response:
        """The answer, which is a good one.

        Raises:
            Unavailable: the server was away for too long.
            JobCancelled: it is to stop.
            ReframeError: whatever else the server complains of.
        """
        headers = given.pop("headers", {})
        if self.key:
            headers = {**headers, "Authorization": f"Bearer {self.key}"}
        return self._try(method, f"{self.base}{path}", {**given, "headers": headers})

    def fetch(self, address: str) -> bytes:
        """What lies at a signed address; the key is not sent there. Raises as ``ask`` does."""
        return self._try("GET", address, {}).content

    def put(self, address: str, data: bytes) -> None:
        """Send bytes to a signed address. Raises as ``ask`` does."""
        self._try("PUT", address, {"content": data})

    def pause(self, seconds: float) -> None:
        """Raises JobCancelled where it is to stop."""
        if self.stopping.wait(seconds):
            raise JobCancelled

    def _try(self, method: str, address: str, given: dict[str, Any]) -> httpx2.Response:
        since, pause, defects = time.monotonic(), FIRST, 0
        while True:
            answer, problem, wanted = self._once(method, address, given)
            if answer is not None:
                return answer
            defects += isinstance(problem, InternalError)
            if defects == MOST_DEFECTS:
                raise problem
            if isinstance(problem, Overloaded):
                since = time.monotonic()  # it is there
            elif time.monotonic() - since > self.patience:
                raise problem
            self.pause(max(pause, wanted))
            pause = min(LONGEST, pause * 2)

    def _once(self, method: str, address: str, given: dict[str, Any]) -> "_Try":
        """Raises what another try would not change."""
        try:
            answer = self._http.request(method, address, **given)
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL, UnicodeError) as error:
            msg = f"{address} is not the address of a server"
            raise InvalidOption(msg) from error
        except httpx2.TransportError as error:
            return _Try(None, Unavailable(f"{self.base} does not answer: {error}"))
        if answer.is_success:
            return _Try(answer)
        found = read_error(answer)
        if answer.status_code == BUSY:
            return _Try(None, RateLimited(found.detail), _read_pause(answer))
        if answer.status_code == DEFECT:
            return _Try(None, InternalError(found.detail))
        if answer.status_code not in AWAY:
            raise found
        return _Try(None, Unavailable(found.detail), _read_pause(answer))


class _Try(NamedTuple):
    """A good answer, or the problem and the seconds after which to come back."""

    answer: httpx2.Response | None
    problem: ReframeError = Unavailable()
    wanted: float = 0.0


def _read_pause(answer: httpx2.Response) -> float:
    """Retry-After in seconds; a date there, which no server of ours sends, is not read."""
    try:
        return min(LONGEST_BUSY, max(0.0, float(answer.headers.get("retry-after", 0))))
    except ValueError:
        return 0.0
