"""The hosted services' npm packages, as their lock files name them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOMS = ("fal", "fashn")
"""Folders with a ``package.json`` and its lock."""


def install(folder: Path) -> None:
    """Put them all into ``folder/node_modules``; without Node or a registry, leave the test out."""
    modules = folder / "node_modules"
    modules.mkdir()
    for name in ROOMS:
        room = folder / f"npm-{name}"
        room.mkdir()
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name / file, room)
        install_package(room)
        for package in (room / "node_modules").iterdir():
            if not package.name.startswith(".") and not (modules / package.name).exists():
                (modules / package.name).symlink_to(package)


def install_package(room: Path) -> None:
    """What the room's lock file names; without Node or a registry, leave the test out."""
    npm = shutil.which("npm")
    done = npm and subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=room,
        capture_output=True,
        check=False,
    )
    if not done or done.returncode:
        words = done.stderr.decode() if done else "npm is not installed"
        assert os.environ.get("CI") != "true", words  # noqa: TID251  CI says so there
        pytest.skip(words)
