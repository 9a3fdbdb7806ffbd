"""Linters that other people wrote, wherever they are installed."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.house import ROOT


def need(program: str) -> str:
    """Where a program is; a test without it is left out, but for CI, where it fails."""
    found = shutil.which(program, path=f"{Path(sys.executable).parent}:{os.defpath}:/usr/sbin")
    _insist(program, there=found is not None)
    assert found
    return found


def need_library(name: str) -> None:
    """The same for a library."""
    _insist(name, there=importlib.util.find_spec(name) is not None)


def run(program: str, *arguments: str | Path, cwd: Path = ROOT) -> None:
    """Let a linter look; it is content when it ends well and has nothing to warn of."""
    command = [need(program), *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr


def _insist(name: str, *, there: bool) -> None:
    if not there and os.environ.get("CI") != "true":  # noqa: TID251  CI says so there
        pytest.skip(f"{name} is not installed")
    assert there, f"{name} is not installed"
