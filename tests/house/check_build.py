"""The image's steps with pip, carried out in folders of this machine.

Not collected with the other tests, for it installs torch anew, which takes minutes and gigabytes:
``python -m pytest tests/house/check_build.py``. The instructions are read from the recipe itself
and carried out in order, so that a file which is not copied, a version that cannot be had or a
package that does not fit is found without a container engine.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.drawings import draw_meadow
from tests.house.dockerfile import Instruction, read_environment, read_instructions
from tests.house.house import ROOT

PLACES = ("/build", "/wheels", "/opt/smart-resize")
"""Folders of the image that the steps work in."""

SYSTEM = ("apt-get", "useradd")
"""Steps that prepare the system; this machine is prepared already."""


class Folders:
    """The image's folders, each inside ``root``; the recipe's steps are carried out in them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.build = root / "build"
        self.build.mkdir()
        self._before = f'export PATH="{root}/opt/smart-resize/bin:$PATH"; unset PYTHONPATH'

    def carry_out(self, step: Instruction) -> None:
        match step.name:
            case "COPY":
                *sources, target = step.words
                for source in sources:
                    self._copy(ROOT / source, self.build / target)
            case "RUN" if not step.text.startswith(SYSTEM):
                words = step.text.split(" ")
                command = " ".join(word for word in words if not word.startswith("--mount="))
                for place in PLACES:
                    command = command.replace(place, f"{self._root}{place}")
                self.run(command)

    def run(self, command: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            f"{self._before}; {command}",
            cwd=folder or self.build,
            shell=True,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}"
        return done.stdout

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """What the recipe makes."""
    folders = Folders(tmp_path_factory.mktemp("image"))
    for step in read_instructions():
        folders.carry_out(step)
    shutil.rmtree(folders.build)  # the image has no checkout
    folders.build.mkdir()
    return folders


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder whose modules have the names of ours, and break who takes them for ours."""
    for name in ("server", "pipelines"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    return tmp_path


def test_our_packages_are_imported_and_not_what_lies_around(image: Folders, trap: Path) -> None:
    safe = f"PYTHONSAFEPATH={read_environment()['PYTHONSAFEPATH']}"
    line = "import server.cli, pipelines.models; print(server.__file__)"
    shown = image.run(f'{safe} python -c "{line}"', trap)
    assert str(image.build.parent / "opt/smart-resize") in shown


def test_the_entry_point_answers(image: Folders, trap: Path) -> None:
    (entry,) = [step.words for step in read_instructions() if step.name == "ENTRYPOINT"]
    draw_meadow(120, 90).save(trap / "photo.png")
    image.run(f"{entry[0]} run photo.png --aspect 16:9 -o out.png", trap)
    assert (trap / "out.png").exists()
    listed = image.run(f"{entry[0]} weights list", trap)
    assert "inpaint" in listed
