"""What ``weights.lock`` says: every file of every model, by revision, size and sha256.

What is not known about a file is None, never a guess; such a file is not pinned, and nothing that
is not pinned is fetched, bundled or loaded. Only formats that cannot run code are ever locked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.errors import InvalidOption, LockInvalid, WeightsError

FORMATS = (".safetensors", ".json", ".txt")
LICENCE_TEXT = re.compile(r"(LICEN[CS]E|NOTICE|COPYING)[\w-]*(\.md|\.txt)?", re.ASCII)

_ROLE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,95})/[A-Za-z0-9](?:[\w.-]{0,95})", re.ASCII)
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Pin(NamedTuple):
    """A file of which everything is known that it takes to recognize it."""

    path: str
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file of a model; what is not known about it is None."""

    path: str
    """Within the repository, with slashes."""
    size: int | None = None
    """Bytes."""
    sha256: str | None = None
    git_blob: str | None = None
    """What git calls the file when it is not stored as a large one."""

    def __post_init__(self) -> None:
        """Refuse what no lock may say; raises LockInvalid."""
        segments = self.path.split("/")
        if not all(map(_SEGMENT.fullmatch, segments)):
            raise LockInvalid(f"{self.path!r} is not a path within a model")
        if not (self.path.endswith(FORMATS) or LICENCE_TEXT.fullmatch(segments[-1])):
            raise LockInvalid(
                f"{self.path} must not be locked: only {', '.join(FORMATS)} and licence texts are, "
                "because other formats may run code when they are loaded"
            )
        if self.size is not None and self.size < 0:
            raise LockInvalid(f"{self.path}: a size is not negative")
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise LockInvalid(f"{self.path}: a sha256 has 64 hexadecimal digits in lower case")
        if self.git_blob is not None and not _SHA1.fullmatch(self.git_blob):
            raise LockInvalid(f"{self.path}: a git_blob has 40 hexadecimal digits in lower case")

    @property
    def pin(self) -> Pin | None:
        """The file as it must be, or None when that is not known."""
        if self.size is None or self.sha256 is None:
            return None
        return Pin(self.path, self.size, self.sha256)


@dataclass(frozen=True, slots=True)
class LockedModel:
    """One repository at one revision, and what it is for."""

    role: str
    repository: str
    """``organisation/name``, as the hub has it."""
    revision: str
    """A full commit, never a branch."""
    licence: str
    """The hub's identifier, like ``apache-2.0``."""
    files: tuple[LockedFile, ...]
    optional: bool = False
    """Whether it is left out unless somebody asks for its role."""

    def __post_init__(self) -> None:
        """Refuse what no lock may say; raises LockInvalid."""
        if not _ROLE.fullmatch(self.role):
            raise LockInvalid(f"{self.role!r} is not a role, like inpaint or vlm-light")
        if not _REPOSITORY.fullmatch(self.repository) or re.search(r"--|\.\.", self.repository):
            raise LockInvalid(f"{self.repository!r} is not a repository, like organisation/name")
        if not _SHA1.fullmatch(self.revision):
            raise LockInvalid(f"{self.repository}: a revision is a full commit, 40 digits")
        if not _LICENCE.fullmatch(self.licence):
            raise LockInvalid(f"{self.repository}: {self.licence!r} is not a licence's identifier")
        paths = [file.path for file in self.files]
        folders = {path[:at] for path in paths for at, sign in enumerate(path) if sign == "/"}
        if not paths or len(set(paths)) < len(paths) or folders.intersection(paths):
            raise LockInvalid(f"{self.repository}: needs files, each with a path of its own")

    @property
    def size(self) -> int:
        """Bytes of all files whose size is known."""
        return sum(file.size or 0 for file in self.files)

    @property
    def unpinned(self) -> tuple[LockedFile, ...]:
        """The files that could not be recognized."""
        return tuple(file for file in self.files if file.pin is None)

    def pins(self) -> tuple[Pin, ...]:
        """Every file as it must be; raises WeightsError when that is not known for all."""
        pins = tuple(file.pin for file in self.files if file.pin is not None)
        if len(pins) < len(self.files):
            raise WeightsError(
                f"{len(self.unpinned)} files of {self.repository} have no sha256 in the lock; "
                f"where there is a network: smart-resize weights lock {self.role}"
            )
        return pins


@dataclass(frozen=True, slots=True)
class WeightsLock:
    """All models, one per role."""

    models: tuple[LockedModel, ...]

    def __post_init__(self) -> None:
        """Refuse what no lock may say; raises LockInvalid."""
        for what, names in (
            ("role", [model.role for model in self.models]),
            ("repository", [(model.repository, model.revision) for model in self.models]),
        ):
            if len(set(names)) < len(names):
                raise LockInvalid(f"two models of the lock have the same {what}")

    def find(self, role: str) -> LockedModel | None:
        """The model with this role."""
        return next((model for model in self.models if model.role == role), None)

    def select(self, roles: Sequence[str] = ()) -> tuple[LockedModel, ...]:
        """The models with these roles, or all that are not optional; raises InvalidOption."""
        known = [model.role for model in self.models]
        for role in roles:
            if role not in known:
                raise InvalidOption(f"no model is locked for {role!r}; roles: {', '.join(known)}")
        if roles:
            return tuple(model for model in self.models if model.role in roles)
        return tuple(model for model in self.models if not model.optional)

    def put(self, model: LockedModel) -> "WeightsLock":
        """The same lock with ``model`` in the place of its role, or at the end."""
        if self.find(model.role) is None:
            return WeightsLock((*self.models, model))
        return WeightsLock(
            tuple(model if old.role == model.role else old for old in self.models),
        )
