"""What to type where weights are missing: all of it at once, with the licences that it takes."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from pipelines.weights.licences import licence_of, read_acceptances
from pipelines.weights.lock import LockedModel
from pipelines.weights.store import Store


def name_remedy(models: Sequence[LockedModel], store: Store, lock_file: Path | None = None) -> str:
    """The commands that bring ``models`` into ``store``.

    ``lock_file`` is named where it is another one than this installation's.
    """
    lock = ("--lock", str(lock_file)) if lock_file else ()
    accepted = read_acceptances(store)
    words = ["fetch", *(model.role for model in models), "--weights", str(store.folder), *lock]
    for licence in sorted({model.licence: licence_of(model) for model in models}.items()):
        key, its = licence
        if not its.is_free_of_conditions and key not in accepted:
            words += ["--accept-licence", key]
    steps = [words]
    if unpinned := [model.role for model in models if model.unpinned]:
        steps.insert(0, ["lock", *unpinned, *lock])
    return ", then: ".join(f"smart-resize weights {shlex.join(words)}" for words in steps)
