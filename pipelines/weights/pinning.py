"""Asks a hub what a model's files are, and pins them: the online half of the lock.

Large files come with a sha256. Small ones do not: they are fetched, compared with the name git has
for them, and then hashed here. What the lock already knows may be completed, never contradicted.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha1
from pathlib import Path

from pipelines.errors import WeightsError, WeightsMismatch
from pipelines.weights.digest import Meter, digest_file, ignore_bytes
from pipelines.weights.hub import Hub, HubFile, Listing
from pipelines.weights.lock import FORMATS, LICENCE_TEXT, LockedFile, LockedModel

ALL_FORMATS = tuple(f"*{suffix}" for suffix in FORMATS)
SMALL = 64 * 2**20
"""Bytes; git itself holds nothing larger on a hub."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to lock for a role."""

    role: str
    repository: str
    revision: str
    """A branch, a tag or a commit."""
    include: tuple[str, ...] = ALL_FORMATS
    """Patterns of paths; the repository's licence texts are always taken along."""
    optional: bool = False

    @classmethod
    def of(cls, model: LockedModel) -> "Wish":
        """The same files of the same revision again, to complete what is not known of them."""
        paths = tuple(file.path for file in model.files)
        return cls(model.role, model.repository, model.revision, paths, model.optional)


def pin(
    wish: Wish, hub: Hub, known: LockedModel | None = None, meter: Meter = ignore_bytes
) -> LockedModel:
    """The model as the hub has it.

    Raises:
        LockInvalid: the patterns take in a file that must not be loaded.
        WeightsMismatch: the hub contradicts itself, or ``known`` at the same revision.
        WeightsError: no connection, or nothing there that fits the patterns.
    """
    listing = hub.list_files(wish.repository, wish.revision)
    chosen = tuple(_choose(listing, wish))
    with tempfile.TemporaryDirectory(prefix="smart-resize-") as folder:
        files = tuple(_pin_file(file, wish, listing, hub, Path(folder), meter) for file in chosen)
    fallback = known.licence if known else "unknown"
    model = LockedModel(
        role=wish.role,
        repository=wish.repository,
        revision=listing.revision,
        licence=(listing.licence or fallback).lower(),
        files=files,
        optional=wish.optional,
    )
    if known and (known.repository, known.revision) == (model.repository, model.revision):
        _compare(known, model)
    return model


def _choose(listing: Listing, wish: Wish) -> Iterator[HubFile]:
    """In the order of their paths; raises WeightsError for a pattern that nothing fits."""
    for pattern in wish.include:
        if not any(fnmatchcase(file.path, pattern) for file in listing.files):
            if wish.include == ALL_FORMATS:
                continue
            raise WeightsError(f"{wish.repository} has no file {pattern} at {listing.revision}")
    for file in sorted(listing.files, key=lambda file: file.path):
        fits = any(fnmatchcase(file.path, pattern) for pattern in wish.include)
        if fits or LICENCE_TEXT.fullmatch(file.path):
            yield file


def _pin_file(
    file: HubFile, wish: Wish, listing: Listing, hub: Hub, folder: Path, meter: Meter
) -> LockedFile:
    locked = LockedFile(file.path, file.size, file.sha256, file.git_blob)
    if locked.pin is not None:
        return locked
    about = f"{wish.repository}: {file.path}"
    if file.size is None or file.size > SMALL or file.git_blob is None:
        raise WeightsMismatch(f"{about}: the hub gives no sha256, size or git name for it")
    path = hub.download(wish.repository, listing.revision, file.path, folder, meter, size=file.size)
    if _git_blob(path) != file.git_blob:
        raise WeightsMismatch(f"{about} arrived as another file than the hub's list has")
    return LockedFile(file.path, file.size, digest_file(path).sha256, file.git_blob)


def _git_blob(path: Path) -> str:
    """What git would call the file."""
    content = path.read_bytes()
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _compare(known: LockedModel, model: LockedModel) -> None:
    """One revision has one content for ever: a difference is somebody's error, or worse."""
    before = {file.path: file for file in known.files}
    for file in model.files:
        old = before.get(file.path, file)
        for what in ("size", "sha256", "git_blob"):
            was, now = getattr(old, what), getattr(file, what)
            if was is not None and now is not None and was != now:
                raise WeightsMismatch(
                    f"{model.repository}: {file.path} has {what} {now} at the hub and {was} in the "
                    "lock, at one and the same revision; the lock was left as it is"
                )
