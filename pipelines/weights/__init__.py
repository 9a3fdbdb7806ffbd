"""Weights by role: which files a model has, and that they are the ones that were locked."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import WeightsError, WeightsMismatch, WeightsMissing
from pipelines.weights.lock import LockedModel, WeightsLock
from pipelines.weights.remedy import name_remedy
from pipelines.weights.store import Store
from pipelines.weights.verify import Depth, Finding, State, verify

NOT_HERE = (State.MISSING, State.UNPINNED)


def locate(lock: WeightsLock, store: Store, role: str, lock_file: Path | None = None) -> Path:
    """The folder with the verified files of the model that has ``role``; nothing is downloaded.

    Files that were recognized before are not read again; others are read once, about a second per
    GB, and noted if the store can be written. ``lock_file`` is for the command in a refusal: where
    the lock is from, if not from this installation.

    Raises:
        WeightsMissing: no such role, or none of its files; says which command gets them.
        WeightsError: only some of its files; says the same.
        WeightsMismatch: files are not those of the lock, or others lie among them.
    """
    model = lock.find(role)
    if model is None:
        raise WeightsMissing(f"the lock names no model for {role}")
    report = verify(model, store)
    if report.is_good:
        return store.folder_of(model)
    about = _describe(model, report.problems)
    if all(found.state in NOT_HERE for found in report.problems):
        words = f"{about}; get it with: {name_remedy([model], store, lock_file)}"
        raise WeightsError(words) if report.is_begun else WeightsMissing(words)
    first = report.problems[0]
    if first.state in (State.EXTRA, State.FOLDER):
        raise WeightsMismatch(f"{about}; delete {store.folder_of(model) / first.path}")
    raise WeightsMismatch(
        f"{about}; look with: smart-resize weights verify {role} --weights {store.folder}"
    )


def list_missing(lock: WeightsLock, store: Store, roles: Sequence[str]) -> list[LockedModel]:
    """Which models of ``roles`` lack files, told by a glance: nothing is read.

    Raises:
        WeightsMissing: no such role.
    """
    missing = []
    for role in roles:
        model = lock.find(role)
        if model is None:
            raise WeightsMissing(f"the lock names no model for {role}")
        findings = verify(model, store, Depth.NOTHING).findings
        if any(found.state in NOT_HERE for found in findings):
            missing.append(model)
    return missing


def _describe(model: LockedModel, problems: Sequence[Finding]) -> str:
    about = f"{model.repository}: {problems[0].path} is {problems[0].state.value}"
    return about + (f", and {len(problems) - 1} more" if len(problems) > 1 else "")
