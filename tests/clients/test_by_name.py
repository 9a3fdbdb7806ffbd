"""The recipe of docs/doors.md for clients that nobody can change, as it stands, over TLS."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients import npm
from tests.clients.fal.house import open_house, serve
from tests.clients.fal.receiver import PICTURE
from tests.house.house import ROOT
from tests.server.api.transcripts.fal.scene import find_doors

pytestmark = [pytest.mark.clients, pytest.mark.slow]

PAGE = (ROOT / "docs/doors.md").read_text()
HERE = Path(__file__).parent / "by_name"
RUNFLOW = "api.runflow.io"
"""Its door is the run API itself, and needs no name."""

MADE = ["v3.fal.media"] * 3 + ["api.fashn.ai", "gateway.pixazo.ai", RUNFLOW]


class Recipe(NamedTuple):
    """A folder in which the recipe was followed; ``names`` are those that lead here."""

    folder: Path
    surroundings: dict[str, str]
    names: frozenset[str]

    def run(self, command: str) -> str:
        """What a command of the page says there, where the names lead here."""
        done = subprocess.run(
            ["bash", "-euc", command],
            cwd=self.folder,
            env=self.surroundings,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def find_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


CERTIFICATES, LOOK, RUN = find_blocks("sh")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recipe]:
    folder = tmp_path_factory.mktemp("recipe")
    subprocess.run(["bash", "-euc", CERTIFICATES], cwd=folder, capture_output=True, check=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "doors.pem", folder / "doors.key")
    (folder / "photo.png").write_bytes(PICTURE)
    for name in ("app.py", "app.mjs"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    with (
        open_house(tmp_path_factory.mktemp("house")) as house,
        socket.create_server(("127.0.0.1", 0)) as listener,
        serve(house.app, listener, tls),
    ):
        port = listener.getsockname()[1]
        names = frozenset({*find_doors(house.app).hosts, RUNFLOW})
        (folder / ".curlrc").write_text(f'connect-to = "::127.0.0.1:{port}"\n')
        yield Recipe(folder, _surround(folder, port, names, house.secret), names)


def _surround(folder: Path, port: int, names: frozenset[str], secret: str) -> dict[str, str]:
    own = Path(sys.executable).parent
    return {
        "PATH": f"{own}:{os.environ['PATH']}",  # noqa: TID251  a child needs its surroundings
        "HOME": str(folder),
        "CURL_HOME": str(folder),
        "PYTHONPATH": str(HERE),
        "NODE_OPTIONS": f"--import {(HERE / 'lead_here.mjs').as_uri()}",
        "HOSTED_NAMES": " ".join(names),
        "HOSTED_PORT": str(port),
        "KEY": secret,
        "FAL_KEY": secret,
        "FASHN_API_KEY": secret,
    }


def hosts_of(made: Any) -> list[str]:
    """The hosts of addresses."""
    return [url.split("/")[2] for url, _ in made]


def test_the_recipe_has_every_name_of_every_door(recipe: Recipe) -> None:
    (proxy,) = find_blocks("nginx")
    certified = set(re.findall(r"DNS:([a-z0-9.]+)", CERTIFICATES))
    served = set(re.search(r"server_name ([^;]+);", proxy)[1].split())  # type: ignore[index]
    listed = {name for row in re.findall(r"^\| (`.*`) \| \w+ \|$", PAGE, re.MULTILINE)
              for name in re.findall("`(.*?)`", row)}  # fmt: skip
    assert certified == served == listed == recipe.names


def test_curl_looks_before_the_names_lead_here(recipe: Recipe) -> None:
    balance, keys = recipe.run(LOOK).replace("}{", "}\n{").splitlines()
    assert json.loads(balance)["credits"]["total"] > 0
    assert json.loads(keys)["keys"][0]["crv"] == "Ed25519"


def test_a_python_program_needs_no_change(recipe: Recipe) -> None:
    command = RUN.splitlines()[0]
    assert "python" in command
    made = json.loads(recipe.run(command))
    assert hosts_of(made) == MADE
    assert [size for _, size in made] == [
        *([120, 80], [96, 96], [48, 96]),
        *([1024, 1024], [64, 64], [1024, 768]),
    ]


def test_a_javascript_program_needs_no_change(recipe: Recipe) -> None:
    npm.install(recipe.folder)
    command = RUN.splitlines()[1]
    assert "node" in command
    made = json.loads(recipe.run(command))
    assert hosts_of(made) == MADE
    assert all(length > 0 for _, length in made)
