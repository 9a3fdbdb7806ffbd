"""The command line driven from a test."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: bytes
    stderr: bytes


Call = Callable[..., Done]


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size
