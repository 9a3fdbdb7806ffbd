"""The examples of the doors' pages, run as they stand against a live server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from tests.clients import npm
from tests.drawings import draw_meadow
from tests.server.doors.page import FOLDER
from tests.server.live import serve

pytestmark = [pytest.mark.clients, pytest.mark.slow]

Files = dict[str, tuple[int, int]]

MADE: dict[str, dict[str, Files]] = {
    "fal": {
        "python": {"photo-1080x1350.png": (1080, 1350), "photo-1200x628.png": (1200, 628)},
        "js": {"photo-1080x1350.png": (1080, 1350), "photo-1200x628.png": (1200, 628)},
    },
    "fashn": {
        "python": {"output_0.png": (1360, 760), "output_1.png": (1360, 760)},
        "js": {"output_0.png": (1360, 760)},
    },
    "pixazo": {
        "python": {
            "output_1024x1024_0.webp": (1024, 1024),
            "output_1920x1080_0.webp": (1920, 1080),
        },
        "js": {"output_1024x1024_0.png": (1024, 1024), "output_1920x1080_0.png": (1920, 1080)},
    },
    "runflow": {
        "python": {"photo-408x224.png": (408, 224)},
        "js": {"output_0.png": (1024, 768)},
    },
}
"""The pictures that the examples write."""

SAID = {
    "fal": r"/fal/cdn/files/\S+-1080x1350\.jpg",
    "fashn": r"/output_0\.png",
    "pixazo": r"/output_1920x1080_0\.png",
    "runflow": r'"width": ?1152, ?"height": ?2048',
}
"""Stands in the result that the shell's example writes."""


class Desk(NamedTuple):
    """A folder with the photo of the examples, and where the server is."""

    folder: Path
    surroundings: dict[str, str]

    def run(self, *command: str) -> None:
        """Raises with what was said where it fails."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **self.surroundings},  # noqa: TID251  a child needs its surroundings
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with serve(tmp_path_factory.mktemp("data")) as (base, secret):
        yield {"BASE": base, "KEY": secret}


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npm")
    npm.install(folder)
    return folder / "node_modules"


@pytest.fixture
def desk(tmp_path: Path, server: dict[str, str]) -> Desk:
    draw_meadow(240, 160).save(tmp_path / "photo.jpg")
    return Desk(tmp_path, server)


def find_example(door: str, language: str) -> str:
    page = (FOLDER / f"{door}.md").read_text()
    (example,) = re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return str(example)


@pytest.mark.parametrize("door", MADE)
def test_the_shells_example_runs(desk: Desk, door: str) -> None:
    desk.run("bash", "-euc", find_example(door, "sh"))
    assert re.search(SAID[door], (desk.folder / "result.json").read_text())


@pytest.mark.parametrize("door", MADE)
def test_the_python_example_runs(desk: Desk, door: str) -> None:
    desk.run(sys.executable, "-c", find_example(door, "python"))
    check_pictures(desk.folder, MADE[door]["python"])


@pytest.mark.parametrize("door", MADE)
def test_the_javascript_example_runs(desk: Desk, modules: Path, door: str) -> None:
    (desk.folder / "node_modules").symlink_to(modules)
    (desk.folder / "example.mjs").write_text(find_example(door, "js"))
    desk.run("node", "example.mjs")
    check_pictures(desk.folder, MADE[door]["js"])


def check_pictures(folder: Path, made: Files) -> None:
    found = {path.name: path for path in folder.iterdir() if path.suffix in {".png", ".webp"}}
    assert {name: measure(path) for name, path in found.items()} == made


def measure(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_every_page_has_its_examples() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(MADE)
