"""Brings the files that the lock names from a hub into the store, each recognized before it counts.

Files that are there and good are not asked for again, so a fetch that was interrupted goes on with
the next file. Within a file a cut connection is taken up where it broke, but not across runs.
"""

from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import WeightsMismatch
from pipelines.weights.digest import Meter, digest_file, ignore_bytes
from pipelines.weights.hub import Hub
from pipelines.weights.licences import keep_notices, require_acceptance
from pipelines.weights.lock import LockedModel, Pin
from pipelines.weights.store import Store, check_space
from pipelines.weights.verify import State, note_as_good, verify


def list_wanted(
    models: Sequence[LockedModel], store: Store, meter: Meter = ignore_bytes
) -> list[tuple[LockedModel, Pin]]:
    """What a fetch would bring; files that are there but were never verified are read.

    Raises:
        WeightsError: the lock does not know all files of a model.
    """
    wanted: list[tuple[LockedModel, Pin]] = []
    for model in models:
        pins = {pin.path: pin for pin in model.pins()}
        problems = verify(model, store, meter=meter).problems
        wanted += [(model, pins[file.path]) for file in problems if file.state is not State.EXTRA]
    return wanted


def fetch(
    models: Sequence[LockedModel],
    store: Store,
    hub: Hub,
    meter: Meter = ignore_bytes,
    free: int | None = None,
) -> int:
    """Make all files of ``models`` lie in the store; returns the bytes that were fetched.

    Raises:
        LicenceNotAccepted: before anything is asked of the hub.
        WeightsError: too little space (``free`` bytes stand in for the disk's), or no connection.
        WeightsMismatch: what arrived is not what the lock names; it is thrown away.
    """
    require_acceptance(models, store)
    wanted = list_wanted(models, store)
    needed = sum(pin.size for _, pin in wanted)
    check_space(store.folder, needed, free)
    if wanted:
        with store.bring_in() as incoming:
            for model, pin in wanted:
                staged = _fetch_file(hub, model, pin, incoming / model.revision, meter)
                store.place(staged, model, pin.path)
                note_as_good(model, store, pin)
            keep_notices(models, store)
    return needed


def _fetch_file(hub: Hub, model: LockedModel, pin: Pin, folder: Path, meter: Meter) -> Path:
    """The recognized file, in ``folder``."""
    staged = hub.download(model.repository, model.revision, pin.path, folder, meter, size=pin.size)
    seen = digest_file(staged)
    if not seen.fits(pin):
        raise WeightsMismatch(
            f"{model.repository}: {pin.path} arrived with {seen.size} bytes and sha256 "
            f"{seen.sha256}, the lock names {pin.size} bytes and {pin.sha256}; it was thrown away"
        )
    return staged
