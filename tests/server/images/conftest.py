"""A certificate authority of our own, and fetchers that live in an internet of our own."""

import shutil
import ssl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from server.images.address import EgressPolicy
from server.images.fetch import Fetcher
from server.images.local_store import LocalStore
from server.images.memory_folder import SHARED_MEMORY
from tests.server.images.loopback import PUBLIC, Internet

MakeFetcher = Callable[..., Fetcher]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """What a client has that knows the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder of its own in memory, for what must not touch a disk."""
    if not SHARED_MEMORY.is_dir():
        pytest.skip("no folder in memory on this machine")
    folder = Path(tempfile.mkdtemp(dir=SHARED_MEMORY))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "images")


@pytest.fixture
def internet() -> Internet:
    return Internet(names={"pictures.example": [[PUBLIC]]})


@pytest.fixture
def fetcher_in(trusting: ssl.SSLContext) -> MakeFetcher:
    """A fetcher for public addresses, http too, in the given internet."""

    def make(
        internet: Internet,
        policy: EgressPolicy = EgressPolicy(http=True),  # noqa: B008  frozen
        max_bytes: int = 100_000,
        timeout: float = 5.0,
    ) -> Fetcher:
        return Fetcher(policy, max_bytes, timeout, trusting, internet.network)

    return make
