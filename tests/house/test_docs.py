"""The pages are true: every command runs, every link leads somewhere."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate import write_cli, write_settings
from tests.drawings import draw_meadow
from tests.house.house import ROOT, list_files

PAGES = list_files("*.md")
KNOWN = ("git clone", "cd ", "make ", "open ")
ELSEWHERE = ("batch.md", "http.md", "doors.md", "fal.md", "fashn.md", "pixazo.md", "runflow.md")
"""Pages whose commands need a live server: tests/server/pages and tests/clients run them."""


def find_commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        if page.name in ELSEWHERE:
            continue
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
            for line in re.sub(r"\\\n\s*", "", block).splitlines():
                command = line.split("  #")[0].strip()
                if command:
                    yield page.name, command


COMMANDS = list(find_commands())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the pages speak of."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "photos").mkdir()
    for name in ("photo.jpg", "photos/one.jpg", "photos/two.jpg"):
        draw_meadow(240, 160).save(folder / name)
    return folder


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_every_command_on_a_page_runs(page: str, command: str, desk: Path) -> None:
    if command.startswith("make "):
        subprocess.run(["make", "--dry-run", *command.split()[1:]], cwd=ROOT, check=True)
    elif not command.startswith(KNOWN):
        first, *_ = shlex.split(command)
        local = {"smart-resize": "-m server", ".venv/bin/smart-resize": "-m server"}
        if first in local:
            command = command.replace(first, f"{shlex.quote(sys.executable)} {local[first]}")
            command = command.replace("| smart-resize", f"| {sys.executable} -m server")
            environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
            subprocess.run(command, cwd=desk, shell=True, check=True, env=environment)
        else:
            subprocess.run(
                [sys.executable, *shlex.split(command)[1:]], cwd=ROOT, check=True, timeout=300
            )


def test_the_readme_has_commands_to_run() -> None:
    assert sum(page == "README.md" for page, _ in COMMANDS) >= 5


def test_the_page_of_commands_is_current() -> None:
    assert (ROOT / "docs/cli.md").read_text() == write_cli()


def test_the_page_of_settings_is_current() -> None:
    assert (ROOT / "docs/settings.md").read_text() == write_settings()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_on_a_page_leads_to_a_file(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", page.read_text()):
        target = link[0] or link[1]
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), target
