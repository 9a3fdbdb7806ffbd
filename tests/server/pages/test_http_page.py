"""The examples of docs/http.md, run as they stand against a live server."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.drawings import draw_meadow
from tests.house.house import ROOT
from tests.server.live import serve

PAGE = (ROOT / "docs/http.md").read_text()


def find_examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with serve(tmp_path_factory.mktemp("data")) as (base, secret):
        yield {"BASE": base, "KEY": secret}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw_meadow(240, 160).save(tmp_path / "photo.jpg")
    return tmp_path


def run(command: list[str], server: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **server},  # noqa: TID251  a child needs its surroundings
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_run(server: dict[str, str], folder: Path) -> None:
    told = run(["bash", "-euc", "\n".join(find_examples("sh"))], server, folder)
    assert "event: end" in told
    for name in ("run", "edited", "series", "extras"):
        answer = json.loads((folder / f"{name}.json").read_text())
        assert answer["status_code"] == "succeeded", (name, answer["failure_message"])
    (edited,) = json.loads((folder / "edited.json").read_text())["output"]["outputs"]
    assert edited["record"]["plan"]["place"][1] == 0
    (story,) = json.loads((folder / "story.json").read_text())["plans"]
    assert (story["preset"], story["plan"]["target"]) == ("meta/story", [1080, 1920])
    with Image.open(folder / "mask.png") as mask:
        assert mask.size == (480, 480)


def test_the_python_runs(server: dict[str, str], folder: Path) -> None:
    (example,) = find_examples("python")
    run([sys.executable, "-c", example], server, folder)
    assert (folder / "photo-1024x576.png").stat().st_size > 0


def test_the_javascript_runs(server: dict[str, str], folder: Path) -> None:
    node = shutil.which("node")
    if node is None:
        assert "CI" not in os.environ, "CI has Node"  # noqa: TID251  what CI is known by
        pytest.skip("Node is not installed")
    (example,) = find_examples("js")
    (folder / "example.mjs").write_text(example)
    run([node, "example.mjs"], server, folder)
    assert (folder / "photo-576x1024.png").stat().st_size > 0
