"""One house for all of fal's clients, over http and over https with an authority of its own."""

import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from server.api.fal.place import HOSTS
from tests.clients.fal.house import House, open_house, serve
from tests.clients.fal.receiver import Receiver, receive
from tests.clients.npm import install_package

HERE = Path(__file__).parent
PACKAGES = ("package.json", "package-lock.json")


class Secure(NamedTuple):
    """The house by https; ``authority`` is the certificate that vouches for it."""

    url: str
    authority: Path

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="session")
def secure(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    authority = trustme.CA()
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", *HOSTS).configure_cert(tls)
    with socket.create_server(("127.0.0.1", 0)) as listener, serve(house.app, listener, tls) as url:
        yield Secure(url, path)


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with receive() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with fal's npm package in it; without Node or a registry its tests are left out."""
    folder = tmp_path_factory.mktemp("npm")
    for name in (*PACKAGES, "client.mjs"):
        shutil.copy(HERE / name, folder)
    install_package(folder)
    return folder
