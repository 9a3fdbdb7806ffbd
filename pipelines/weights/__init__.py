"""Weights by role: which files a model has, and that they are the ones that were locked."""

from pathlib import Path

from pipelines.errors import WeightsMismatch, WeightsMissing
from pipelines.weights.lock import WeightsLock
from pipelines.weights.store import Store
from pipelines.weights.verify import State, verify


def locate(lock: WeightsLock, store: Store, role: str) -> Path:
    """The folder with the verified files of the model that has ``role``; nothing is downloaded.

    Files that were recognized before are not read again; others are read once, about a second per
    GB, and noted if the store can be written.

    Raises:
        WeightsMissing: no such role, or files are missing; says which command gets them.
        WeightsMismatch: files are not those of the lock, or others lie among them.
    """
    model = lock.find(role)
    if model is None:
        raise WeightsMissing(f"the lock names no model for {role}")
    report = verify(model, store)
    if report.is_good:
        return store.folder_of(model)
    first = report.problems[0]
    about = f"{model.repository}: {first.path} is {first.state.value}"
    if len(report.problems) > 1:
        about += f", and {len(report.problems) - 1} more"
    if all(found.state in (State.MISSING, State.UNPINNED) for found in report.problems):
        raise WeightsMissing(
            f"{about}; get it with: smart-resize weights fetch {role} --weights {store.folder}"
        )
    raise WeightsMismatch(
        f"{about}; look with: smart-resize weights verify {role} --weights {store.folder}"
    )
