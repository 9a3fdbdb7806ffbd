"""The lock as a file: TOML, one line per locked file, the same text for the same lock."""

import json
import os
import sysconfig
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.errors import LockInvalid, WeightsError
from pipelines.weights.lock import LockedFile, LockedModel, WeightsLock

Kinds = Mapping[str, type]
"""What a table may hold."""

NAME = "weights.lock"
VERSION = 1
HEAD = f"""\
# Every file of every model: what is fetched, what is bundled, and all that is ever loaded.
# Written by `smart-resize weights lock`. A file without a sha256 is there but not yet known;
# nothing of its model is fetched before that command has asked the hub for it.

version = {VERSION}
"""

_MODEL: Kinds = {"role": str, "repository": str, "revision": str, "licence": str, "files": list}
_MODEL_OPTIONS: Kinds = {"optional": bool}
_FILE: Kinds = {"path": str}
_FILE_OPTIONS: Kinds = {"size": int, "sha256": str, "git_blob": str}


def find_lock() -> Path:
    """Where this installation has its lock: the checkout's root, or what the wheel put in share."""
    checkout = Path(__file__).parents[2] / NAME
    if checkout.is_file():
        return checkout
    return Path(sysconfig.get_path("data")) / "share/smart-resize" / NAME


def read_lock(path: Path) -> WeightsLock:
    """Read and check the lock at ``path``; raises LockInvalid, or WeightsError if unreadable."""
    try:
        return parse_lock(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(
            f"{path} cannot be read: there is none; smart-resize weights lock begins one"
        ) from error
    except OSError as error:
        raise WeightsError(f"{path} cannot be read") from error
    except UnicodeDecodeError as error:
        raise LockInvalid(f"{path} is not text") from error


def write_lock(lock: WeightsLock, path: Path) -> None:
    """Put the lock in the place of what was there, or leave that as it was."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(format_lock(lock), "utf-8")
        part.replace(path)
    except OSError as error:
        raise _unwritable(path) from error


def is_writable(path: Path) -> bool:
    """Whether ``write_lock`` can put a lock there."""
    return os.access(path.parent, os.W_OK)


def check_writable(path: Path) -> None:
    """Raises WeightsError where a lock cannot be put, before anybody is asked for its content."""
    if not is_writable(path):
        raise _unwritable(path)


def parse_lock(text: str) -> WeightsLock:
    """The lock that ``text`` spells; raises LockInvalid."""
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        raise LockInvalid(f"the lock is not TOML: {error}") from error
    _check(document, "the lock", {"version": int}, {"model": list})
    if document["version"] != VERSION:
        raise LockInvalid(f"the lock has version {document['version']}; {VERSION} can be read")
    return WeightsLock(tuple(map(_parse_model, document.get("model", ()))))


def format_lock(lock: WeightsLock) -> str:
    """The text of ``lock``; parsing it gives the same lock."""
    return "\n".join((HEAD, *map(_format_model, lock.models)))


def _unwritable(path: Path) -> WeightsError:
    return WeightsError(
        f"{path} cannot be written; a lock of your own is said with --lock FILE, or for the "
        "server too with SMART_RESIZE_LOCK"
    )


def _parse_model(table: object) -> LockedModel:
    fields = _check(table, "a model", _MODEL, _MODEL_OPTIONS)
    files = tuple(
        LockedFile(**_check(file, f"a file of {fields['repository']}", _FILE, _FILE_OPTIONS))
        for file in fields["files"]
    )
    return LockedModel(**{**fields, "files": files})


def _check(table: object, what: str, required: Kinds, optional: Kinds) -> dict[str, Any]:
    """``table`` when it has all it needs and nothing else, each of its type."""
    if not isinstance(table, dict):
        raise LockInvalid(f"{what} is a table")
    kinds = {**required, **optional}
    if missing := required.keys() - table.keys():
        raise LockInvalid(f"{what} lacks {', '.join(sorted(missing))}")
    for key, value in table.items():
        if key not in kinds:
            raise LockInvalid(f"{what} has {key!r}, which means nothing here")
        if type(value) is not kinds[key]:  # a bool is not a size
            raise LockInvalid(f"{key} of {what} is a {kinds[key].__name__}")
    return table


def _format_model(model: LockedModel) -> str:
    lines = ["[[model]]"]
    names = ("role", "repository", "revision", "licence")
    lines += [f"{key} = {_quote(getattr(model, key))}" for key in names]
    if model.optional:
        lines.append("optional = true")
    lines += ["files = [", *map(_format_file, model.files), "]", ""]
    return "\n".join(lines)


def _format_file(file: LockedFile) -> str:
    parts = [f"path = {_quote(file.path)}"]
    if file.size is not None:
        parts.append(f"size = {file.size}")
    if file.sha256 is not None:
        parts.append(f"sha256 = {_quote(file.sha256)}")
    if file.git_blob is not None:
        parts.append(f"git_blob = {_quote(file.git_blob)}")
    return f"    {{ {', '.join(parts)} }},"


def _quote(text: str) -> str:
    """A TOML string; what may stand in a lock is ASCII, where JSON and TOML agree."""
    return json.dumps(text)
