"""Files that appear under their name only when they are whole."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import OutputUnwritable


def _read_umask() -> int:
    """The process's own; it can only be read by setting it, which no other thread may see."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


_MODE = 0o666 & ~_read_umask()


def write_whole(path: Path, data: bytes) -> None:
    """Write all or nothing, whatever ends the process; raises OutputUnwritable."""
    with _translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    publish(grow(data, path.parent), path)


def grow(data: bytes, folder: Path) -> Path:
    """A whole file with a name of no meaning, on the disk of ``folder``."""
    with (
        _translated(folder),
        tempfile.NamedTemporaryFile(dir=folder, prefix=".smart-resize-", delete=False) as file,
    ):
        temporary = Path(file.name)
        try:
            file.write(data)
            file.close()
            temporary.chmod(_MODE)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        return temporary


def publish(grown: Path, path: Path) -> None:
    """Give it its name, over what has that name; else it is gone."""
    with _translated(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            grown.replace(path)
        except OSError:
            grown.unlink(missing_ok=True)
            raise


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{path} cannot be written: {(error.strerror or 'failed').lower()}"
        raise OutputUnwritable(msg) from error
