"""The folder that holds the weights: ``<organisation>--<name>/<revision>/...`` and what is known.

Files appear under their final name only whole and recognized: they arrive in ``.incoming`` on the
same disk and are renamed. One command at a time may bring something in.
"""

import fcntl
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import WeightsError
from pipelines.weights.lock import LockedModel

DEFAULT_FOLDER = Path("~/.local/share/smart-resize/weights")
SPARE = 64 * 2**20
"""Bytes that stay free beside what is brought in."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where the weights of this machine lie; the folder need not exist yet."""

    folder: Path

    def folder_of(self, model: LockedModel) -> Path:
        """Where the files of ``model`` lie, or would."""
        return self.folder / name_of(model)

    def record_of(self, model: LockedModel) -> Path:
        """Where it is noted which files were recognized."""
        folder = self.folder_of(model)
        return folder.with_name(f"{folder.name}.verified.json")

    def notice_of(self, model: LockedModel) -> Path:
        """Where the licence of ``model`` stands, or which one it is and where it stands."""
        folder = self.folder_of(model)
        return folder.with_name(f"{folder.name}.licence.txt")

    @property
    def acceptances(self) -> Path:
        """Where it is noted which licences were accepted."""
        return self.folder / "accepted-licences.json"

    @contextmanager
    def bring_in(self) -> Iterator[Path]:
        """An empty folder to gather files in, on the same disk; it is gone afterwards.

        Raises:
            WeightsError: another command is at it, or the disk failed or was full.
        """
        incoming = self.folder / ".incoming"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / ".lock").open("w") as guard:
                _hold(guard.fileno(), self.folder)
                try:
                    shutil.rmtree(incoming, ignore_errors=True)  # of a command that was killed
                    incoming.mkdir()
                    yield incoming
                finally:
                    shutil.rmtree(incoming, ignore_errors=True)
        except OSError as error:
            reason = error.strerror or error
            raise WeightsError(f"nothing more came into {self.folder}: {reason}") from error

    def place(self, staged: Path, model: LockedModel, path: str) -> Path:
        """Give a file its final name, in the place of what was there."""
        final = self.folder_of(model) / path
        final.parent.mkdir(parents=True, exist_ok=True)
        return staged.replace(final)

    def check_place(self, model: LockedModel, path: str) -> None:
        """Raises WeightsError if a folder is where the file belongs, or a file where a folder."""
        final = self.folder_of(model) / path
        if final.is_dir():
            raise WeightsError(f"{final} is a folder where a file belongs: move it away")
        there = next(place for place in final.parents if place.exists())
        if not there.is_dir():
            raise WeightsError(f"{there} is a file where a folder belongs: move it away")


def name_of(model: LockedModel) -> str:
    """The folder of a model within a store or a bundle."""
    return f"{model.repository.replace('/', '--')}/{model.revision}"


def find_strangers(store: Store, models: Iterable[LockedModel]) -> list[Path]:
    """Folders of revisions that none of ``models`` is at, old ones mostly."""
    known = {store.folder_of(model) for model in models}
    found = [path for path in store.folder.glob("[!.]*/*") if path.is_dir()]
    return sorted(path for path in found if path not in known)


def check_space(folder: Path, needed: int, free: int | None = None) -> None:
    """Refuse to begin what cannot end; ``free`` bytes are taken instead of asking the disk.

    Raises:
        WeightsError: less than ``needed`` bytes and a little to spare are free.
    """
    if free is None:
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        free = shutil.disk_usage(there).free
    if needed and needed + SPARE > free:
        raise WeightsError(
            f"{folder} has {free / 1e9:.2f} GB free; {(needed + SPARE) / 1e9:.2f} GB are needed"
        )


def _hold(descriptor: int, folder: Path) -> None:
    """Keep others out until the file is closed, by this process or by its death."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise WeightsError(f"another command is bringing weights into {folder}") from error
