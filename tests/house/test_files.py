"""What a person could forget about files."""

import ast
import importlib.metadata
import re
from pathlib import Path

import pytest

from tests.house.house import ROOT, list_files

MOST_LINES = 300


@pytest.mark.parametrize("path", list_files("*.py"), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_opens_with_a_sentence_and_stays_small(path: Path) -> None:
    text = path.read_text()
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert docstring.split("\n\n")[0].rstrip().endswith((".", "``", "?"))
    assert len(text.splitlines()) <= MOST_LINES


def test_only_our_two_packages_are_installed_and_nobody_else_installs_them() -> None:
    owners = importlib.metadata.packages_distributions()
    assert set(owners["pipelines"]) == {"smart-resize"}
    assert set(owners["server"]) == {"smart-resize"}


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9-]+", requirement)
    assert found is not None
    return found[0].lower()


def test_every_dependency_has_its_reason_on_the_page() -> None:
    page = (ROOT / "docs/decisions/0002-dependencies.md").read_text()
    for line in importlib.metadata.requires("smart-resize") or ():
        assert name_of(line) in page


def test_every_dependency_is_pinned_for_repeatable_installs() -> None:
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    for line in importlib.metadata.requires("smart-resize") or ():
        if "cuda" not in line:
            assert name_of(line) in pinned
