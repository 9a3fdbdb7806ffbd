"""The tiny models stand for the published ones, file by file."""

from pathlib import Path

from pipelines.weights.lock_file import find_lock, read_lock
from tests.pipelines.models.supplies import LOCK


def list_paths(lock: Path) -> dict[str, set[str]]:
    return {model.role: {file.path for file in model.files} for model in read_lock(lock).models}


def test_every_role_has_files_of_exactly_the_published_names(supplies: Path) -> None:
    assert list_paths(supplies / LOCK) == list_paths(find_lock())
