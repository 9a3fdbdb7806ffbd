"""One fetcher for every URL, sources and callbacks alike; there is no other way out.

Each hop is a connection of its own, guarded where it is dialled (``dial.py``). No proxy is taken
from the environment, nothing is decompressed, and one deadline covers a fetch with all its hops.
"""

import io
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import httpcore2
import httpx2

from pipelines.errors import ImageTooLarge, ReframeError, SourceUnavailable
from server.errors import SourceForbidden
from server.images.address import EgressPolicy, Origin, read_address
from server.images.dial import BLOCKED, INTERNET, Deadline, GuardedBackend, Network
from server.images.label import base_name, clean_label

MOST_REDIRECTS = 3
_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_HEADERS = {
    "User-Agent": "smart-resize",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")


class Fetched(NamedTuple):
    """What lay at a URL; what its server called it proves nothing about the bytes."""

    data: bytes
    media_type: str
    file_name: str


class _Request(NamedTuple):
    method: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Asks other machines, within ``policy``.

    ``max_bytes`` bounds an answer's body and ``timeout`` seconds a whole fetch. ``tls`` trusts the
    machine's own certificate authorities unless it is given.
    """

    policy: EgressPolicy
    max_bytes: int
    timeout: float = 30.0
    tls: ssl.SSLContext = field(default_factory=httpcore2.default_ssl_context)
    network: Network = INTERNET

    def get(self, url: str, deadline: Deadline | None = None) -> Fetched:
        """What lies at ``url``, after at most 3 redirects; another thread may cut ``deadline``.

        Raises:
            SourceForbidden: it, or where it leads, may not be asked.
            SourceUnavailable: it cannot be reached, takes too long or answers something else.
            ImageTooLarge: it is larger than ``max_bytes``.
        """
        deadline = deadline or Deadline(self.timeout)
        here = _parse(url)
        for _ in range(MOST_REDIRECTS + 1):
            with self._ask(_Request("GET", _HEADERS), here, deadline) as answer:
                headers = httpx2.Headers(answer.headers)
                if answer.status not in _REDIRECTS or "location" not in headers:
                    data = self._read(answer, headers)
                    return Fetched(data, _media_type(headers), file_name_of(url))
                here = _parse(headers["location"], here)
        raise SourceUnavailable(f"the address redirects more than {MOST_REDIRECTS} times")

    def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> int:
        """Deliver ``body`` and give the status that it was met with, whichever it is.

        The answer's body is not read and no redirect is followed.

        Raises:
            SourceForbidden: the address may not be asked.
            SourceUnavailable: it cannot be reached, or gives no answer in ``timeout`` seconds.
        """
        request = _Request("POST", {**_HEADERS, **headers}, body)
        with self._ask(request, _parse(url), Deadline(timeout)) as answer:
            return answer.status

    @contextmanager
    def _ask(
        self, request: _Request, url: httpx2.URL, deadline: Deadline
    ) -> Iterator[httpcore2.Response]:
        origin = _origin_of(url)
        backend = GuardedBackend(origin, self.policy, deadline, self.network)
        target = httpcore2.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=origin.port, target=url.raw_path
        )
        headers = [("Host", url.netloc.decode("ascii")), *request.headers.items()]
        with (
            _translated_errors(deadline),
            httpcore2.ConnectionPool(ssl_context=self.tls, network_backend=backend) as pool,
            pool.stream(request.method, target, headers=headers, content=request.body) as answer,
        ):
            yield answer

    def _read(self, answer: httpcore2.Response, headers: httpx2.Headers) -> bytes:
        if answer.status != _OK:
            raise SourceUnavailable(f"the address answered with status {answer.status}")
        if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
            raise SourceUnavailable("the address answered with a compressed body, unasked")
        too_large = ImageTooLarge(f"the source has more than {self.max_bytes} bytes")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.max_bytes:
            raise too_large
        body = io.BytesIO()  # gives its bytes away without copying them
        for chunk in answer.iter_stream():
            if body.tell() + len(chunk) > self.max_bytes:
                raise too_large
            body.write(chunk)
        return body.getvalue()


def check_callback(policy: EgressPolicy, url: str) -> None:
    """Refuse an address that nothing will ever be delivered to.

    No name is resolved: what it leads to is judged when it is dialled.

    Raises:
        SourceUnavailable: not an address.
        SourceForbidden: it may not be asked, or is written as an address that may not.
    """
    origin = _origin_of(_parse(url))
    if read_address(origin.host.strip("[]")) and not policy.allows(origin, origin.host.strip("[]")):
        raise SourceForbidden(BLOCKED)


def _parse(url: str, base: httpx2.URL | None = None) -> httpx2.URL:
    """``url`` as seen from ``base``; raises as ``Fetcher.get``."""
    try:
        parsed = base.join(url) if base else httpx2.URL(url)
        port = parsed.port
    except (httpx2.InvalidURL, ValueError) as error:
        raise SourceUnavailable("the URL cannot be read") from error
    if parsed.scheme not in _PORTS or parsed.userinfo:
        raise SourceForbidden(BLOCKED)
    if not parsed.raw_host or (port is not None and not 0 < port < 2**16):
        raise SourceUnavailable("the URL cannot be read")
    return parsed


def _origin_of(url: httpx2.URL) -> Origin:
    return Origin(url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])


def _media_type(headers: httpx2.Headers) -> str:
    said = headers.get("content-type", "").partition(";")[0].strip().lower()
    return said if _MEDIA_TYPE.fullmatch(said) else "application/octet-stream"


def file_name_of(url: str) -> str:
    """As the caller's own URL ends, for what it redirects to is often a number.

    Raises:
        SourceUnavailable, SourceForbidden: nothing can be asked for there.
    """
    return base_name(clean_label(_parse(url).path))


@contextmanager
def _translated_errors(deadline: Deadline) -> Iterator[None]:
    """Say what happened without saying where: an address in a text would make a map of it."""
    try:
        yield
    except ReframeError:
        raise
    except (TimeoutError, httpcore2.TimeoutException) as error:
        text = f"the address took too long, more than {deadline.seconds:g} seconds"
        raise SourceUnavailable(text) from error
    except ssl.SSLCertVerificationError as error:
        text = "the address cannot prove by its certificate that it is the right one"
        raise SourceUnavailable(text) from error
    except (OSError, UnicodeError) as error:
        raise SourceUnavailable("the address cannot be reached") from error
    except (httpcore2.ProtocolError, httpcore2.NetworkError) as error:
        raise SourceUnavailable("the address gave no whole answer") from error
