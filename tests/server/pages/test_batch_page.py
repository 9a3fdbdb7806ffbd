"""The examples of docs/batch.md, run as they stand."""

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from server.cli.items_file import GROUPS
from tests.drawings import draw_meadow
from tests.house.house import ROOT

PAGE = (ROOT / "docs/batch.md").read_text()


def find_examples(language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with what the page speaks of, and the program on the path."""
    (tmp_path / "photos").mkdir()
    for number, name in enumerate(("one.jpg", "two.jpg")):
        draw_meadow(120, 80, seed=number).save(tmp_path / "photos" / name)
    (tmp_path / "jobs.csv").write_text(find_examples("csv"))
    program = tmp_path / "bin/smart-resize"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m server "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return tmp_path


@pytest.mark.slow
def test_the_commands_run_and_leave_what_the_page_says(desk: Path) -> None:
    subprocess.run(
        ["bash", "-euc", find_examples("sh")],
        cwd=desk,
        env={"PATH": f"{desk / 'bin'}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=300,
    )
    assert len(list((desk / "ads").glob("*.jpg"))) == 12
    assert (desk / "banners/one_640x480.json").exists()
    assert sorted(path.name for path in (desk / "shop").glob("*.png")) == ["one.png", "two.png"]
    made = {
        path.relative_to(desk / "campaign").as_posix()
        for path in desk.rglob("*.jpg")
        if (desk / "campaign") in path.parents and ".smart-resize" not in path.parts
    }
    assert made == {"hero/one.jpg", "two_970x250.jpg", "two_1080x1920.jpg"}
    assert all((desk / name / "report.html").exists() for name in ("ads", "shop", "campaign"))


def test_the_page_names_every_column_there_is() -> None:
    listed = PAGE[PAGE.index("Columns: ") : PAGE.index("A row that names")]
    named = set(re.findall(r"`([a-z0-9_]+)`", listed))
    named |= {f"expand_{side}" for side in ("top", "right", "bottom")}
    columns = {name for kind in GROUPS for name in kind.__dataclass_fields__}
    assert columns | {"input", "output"} == named - {"_top", "_right", "_bottom"}
