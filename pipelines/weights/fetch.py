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

Wanted = tuple[LockedModel, Pin]
"""A file that is to be brought, and the model that it belongs to."""


def list_wanted(
    models: Sequence[LockedModel], store: Store, meter: Meter = ignore_bytes
) -> list[Wanted]:
    """What a fetch has to bring; files that are there but were never verified are read.

    Raises:
        WeightsError: the lock does not know all files of a model, or a folder is in a file's place.
    """
    wanted: list[Wanted] = []
    for model in models:
        pins = {pin.path: pin for pin in model.pins()}
        for file in verify(model, store, meter=meter).problems:
            if file.state is not State.EXTRA:
                store.check_place(model, file.path)
                wanted.append((model, pins[file.path]))
    return wanted


def fetch(
    wanted: Sequence[Wanted],
    store: Store,
    hub: Hub,
    *,
    fetched: Meter = ignore_bytes,
    verified: Meter = ignore_bytes,
    free: int | None = None,
) -> None:
    """Bring all that is ``wanted``; the meters hear of bytes that arrived and that were compared.

    Raises:
        LicenceNotAccepted: before anything is asked of the hub.
        WeightsError: too little space (``free`` bytes stand in for the disk's), or no connection.
        WeightsMismatch: what arrived is not what the lock names; it is thrown away.
    """
    models = list(dict.fromkeys(model for model, _ in wanted))
    require_acceptance(models, store)
    check_space(store.folder, sum(pin.size for _, pin in wanted), free)
    if not wanted:
        return
    with store.bring_in() as incoming:
        for model, pin in wanted:
            folder = incoming / model.revision
            staged = hub.download(
                model.repository, model.revision, pin.path, folder, fetched, size=pin.size
            )
            _recognize(staged, model, pin, verified)
            store.place(staged, model, pin.path)
            note_as_good(model, store, pin)
        keep_notices(models, store)


def _recognize(staged: Path, model: LockedModel, pin: Pin, verified: Meter) -> None:
    seen = digest_file(staged, verified, pin.path)
    if not seen.fits(pin):
        raise WeightsMismatch(
            f"{model.repository}: {pin.path} arrived with {seen.size} bytes and sha256 "
            f"{seen.sha256}, the lock names {pin.size} bytes and {pin.sha256}; it was thrown away"
        )
