"""Weights as one file to carry into an air gap: a plain tar with the lock and the licences inside.

    weights.lock                                the models of this bundle
    licences/<identifier>.txt                   for the people who carry and receive it
    <organisation>--<name>/<revision>/<path>    every file

What a bundle says about itself proves nothing: on import its models must be those of the lock of
this installation, and every byte is compared with that before anything gets its final name.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipelines.errors import WeightsError, WeightsMismatch, WeightsMissing
from pipelines.weights.digest import Meter, digest_stream, ignore_bytes
from pipelines.weights.licences import keep_notices, licence_of, require_acceptance, write_notice
from pipelines.weights.lock import LockedModel, Pin, WeightsLock
from pipelines.weights.lock_file import NAME, format_lock, parse_lock
from pipelines.weights.remedy import name_remedy
from pipelines.weights.store import Store, check_space, name_of
from pipelines.weights.tar import read_headers, write_end, write_header, write_padding
from pipelines.weights.verify import note_as_good

LARGEST_TEXT = 4 * 2**20
"""Bytes of a lock or of a licence."""


def export_bundle(
    models: Sequence[LockedModel],
    store: Store,
    path: Path,
    meter: Meter = ignore_bytes,
    free: int | None = None,
) -> None:
    """Write ``models`` to one file, whole or not at all; everything is read and compared.

    Raises:
        WeightsMissing: a file is not in the store.
        WeightsMismatch: a file in the store is not the one that the lock names.
        WeightsError: too little space (``free`` bytes stand in for the disk's), or not writable.
    """
    pins = [(model, pin) for model in models for pin in model.pins()]
    check_space(path.absolute().parent, sum(pin.size for _, pin in pins), free)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as sink:
            _write_text(sink, NAME, format_lock(WeightsLock(tuple(models))))
            for name, text in _list_notices(models):
                _write_text(sink, name, text)
            for model, pin in pins:
                _write_file(sink, store, model, pin, meter)
            write_end(sink)
        part.replace(path)
    except OSError as error:
        raise WeightsError(f"{path} could not be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def read_contents(path: Path, lock: WeightsLock) -> tuple[LockedModel, ...]:
    """The models of ``lock`` that the bundle says it holds.

    Raises:
        WeightsMismatch: it holds others, or is no bundle.
    """
    with _opened(path) as source:
        return _recognize(_read_lock(source), lock)


def import_bundle(
    path: Path,
    lock: WeightsLock,
    store: Store,
    meter: Meter = ignore_bytes,
    free: int | None = None,
) -> tuple[LockedModel, ...]:
    """Put all models of a bundle into the store, or none of them; needs no network.

    Raises:
        LicenceNotAccepted: before anything is written.
        WeightsMismatch: the bundle is not what ``lock`` names, damaged, or cut short.
        WeightsError: too little space (``free`` bytes stand in for the disk's), or not readable.
    """
    models = read_contents(path, lock)
    require_acceptance(models, store)
    awaited = {
        f"{name_of(model)}/{pin.path}": (model, pin) for model in models for pin in model.pins()
    }
    for model, pin in awaited.values():
        store.check_place(model, pin.path)
    check_space(store.folder, sum(pin.size for _, pin in awaited.values()), free)
    with store.bring_in() as incoming:
        with _opened(path) as source:
            texts = {_name_notice(model.licence) for model in _read_lock(source).models}
            source.seek(0)
            _unpack(source, texts | {NAME}, awaited, incoming, meter)
        for name, (model, pin) in awaited.items():
            store.place(incoming / name, model, pin.path)
            note_as_good(model, store, pin)
        keep_notices(models, store)
    return models


def _list_notices(models: Sequence[LockedModel]) -> Iterator[tuple[str, str]]:
    licences = {model.licence: licence_of(model) for model in models}
    for key in sorted(licences):
        under = [model for model in models if model.licence == key]
        yield _name_notice(key), write_notice(licences[key], under)


def _name_notice(licence: str) -> str:
    return f"licences/{licence}.txt"


def _write_text(sink: BinaryIO, path: str, text: str) -> None:
    data = text.encode()
    write_header(sink, path, len(data))
    sink.write(data)
    write_padding(sink, len(data))


def _write_file(sink: BinaryIO, store: Store, model: LockedModel, pin: Pin, meter: Meter) -> None:
    path = store.folder_of(model) / pin.path
    if not path.is_file():
        raise WeightsMissing(
            f"{model.repository}: {pin.path} is missing; get it with: {name_remedy([model], store)}"
        )
    write_header(sink, f"{name_of(model)}/{pin.path}", pin.size)
    with path.open("rb") as source:
        seen = digest_stream(source, pin.size, path.name, meter, sink)
        if source.read(1) or not seen.fits(pin):
            raise WeightsMismatch(f"{path} is not the file that the lock names")
    write_padding(sink, pin.size)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        source = path.open("rb")
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    with source:
        yield source


def _read_lock(source: BinaryIO) -> WeightsLock:
    """The first file of a bundle."""
    name, size = next(read_headers(source), ("", 0))
    if name != NAME or size > LARGEST_TEXT:
        raise WeightsMismatch(f"a bundle begins with its {NAME}; this file does not")
    text = source.read(size)
    if len(text) < size:
        raise WeightsMismatch("the bundle ends early")
    return parse_lock(text.decode("utf-8", "replace"))


def _recognize(bundled: WeightsLock, lock: WeightsLock) -> tuple[LockedModel, ...]:
    """The models of ``lock`` that the bundle holds."""
    models = []
    for theirs in bundled.models:
        ours = lock.find(theirs.role)
        if ours is None or (ours.repository, ours.revision, ours.pins()) != (
            theirs.repository,
            theirs.revision,
            theirs.pins(),
        ):
            raise WeightsMismatch(
                f"the bundle holds {theirs.repository} at {theirs.revision} for {theirs.role}, "
                "which is not what the lock of this installation names"
            )
        models.append(ours)
    return tuple(models)


def _unpack(
    source: BinaryIO,
    texts: set[str],
    awaited: dict[str, tuple[LockedModel, Pin]],
    incoming: Path,
    meter: Meter,
) -> None:
    """Leave every awaited file in ``incoming`` under its name in the bundle, recognized.

    The ``texts`` are passed over, each once.
    """
    missing = set(awaited)
    for name, size in read_headers(source):
        if name in missing:
            missing.remove(name)
            _unpack_file(source, size, awaited[name][1], incoming / name, meter)
        elif name in texts and 0 <= size <= LARGEST_TEXT:
            texts.remove(name)
            source.seek(size, 1)
        else:
            raise WeightsMismatch(f"the bundle holds {name!r}, which its lock does not name once")
    if missing:
        raise WeightsMismatch(f"the bundle lacks {min(missing)}")


def _unpack_file(source: BinaryIO, size: int, pin: Pin, final: Path, meter: Meter) -> None:
    if size != pin.size:
        raise WeightsMismatch(f"{pin.path} has {size} bytes in the bundle, {pin.size} in the lock")
    final.parent.mkdir(parents=True, exist_ok=True)
    with final.open("wb") as sink:
        seen = digest_stream(source, size, final.name, meter, sink)
    if seen.size < size:
        raise WeightsMismatch("the bundle ends early")
    if not seen.fits(pin):
        raise WeightsMismatch(f"{pin.path} in the bundle is not the file that the lock names")
