"""Tiny models of every role in a store of weights, and the lock that names every file of them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pipelines.weights.digest import digest_file
from pipelines.weights.lock import LockedFile, LockedModel, WeightsLock
from pipelines.weights.lock_file import write_lock
from pipelines.weights.store import Store
from tests.pipelines.models.nsfw_replica import write_nsfw_replica
from tests.pipelines.models.sdxl.lora_replica import write_lora
from tests.pipelines.models.sdxl.replica import write_replica
from tests.pipelines.models.vlm.replica import write_vlm_replica

WRITERS: dict[str, Callable[[Path], Path]] = {
    "inpaint": partial(write_replica, half=True),
    "vlm": partial(write_vlm_replica, shard="200KB"),
    "vlm-light": partial(write_vlm_replica, shard="1GB"),
    "few-step": write_lora,
    "nsfw": write_nsfw_replica,
}
"""Every role of the project's own lock, with files of the same names."""

LOCK = "weights.lock"


def write_supplies(folder: Path) -> Path:
    """Write ``folder/weights`` and ``folder/weights.lock``; returns ``folder``."""
    store, models = Store(folder / "weights"), []
    for number, (role, write) in enumerate(WRITERS.items()):
        name = f"tiny/{role}"
        made = folder / "made" / role
        write(made)
        files = tuple(_list_files(made))
        model = LockedModel(role, name, str(number) * 40, "apache-2.0", files)
        store.folder_of(model).parent.mkdir(parents=True, exist_ok=True)
        made.rename(store.folder_of(model))
        models.append(model)
    write_lock(WeightsLock(tuple(models)), folder / LOCK)
    return folder


def _list_files(folder: Path) -> list[LockedFile]:
    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            seen = digest_file(path)
            files.append(LockedFile(path.relative_to(folder).as_posix(), seen.size, seen.sha256))
    return files
