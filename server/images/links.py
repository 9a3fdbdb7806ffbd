"""Links to outputs that open without a key: signed, and for a time only."""

import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from itsdangerous import BadData, URLSafeSerializer
from pydantic import SecretStr

from server.errors import LinkInvalid, Unavailable
from server.images.blob_name import is_blob_name
from server.images.label import base_name, clean_label

FILE = "links.secret"
"""The secret's place in the data folder."""

SECRET_BYTES = 32


class Links:
    """Makes links and opens them; whoever has the same secret opens the same ones."""

    def __init__(
        self, secret: bytes, lifetime: float, clock: Callable[[], float] = time.time
    ) -> None:
        """``lifetime`` is in seconds from when a link is made.

        Raises:
            ValueError: the secret has fewer than 32 bytes.
        """
        if len(secret) < SECRET_BYTES:
            raise ValueError(f"a secret has at least {SECRET_BYTES} bytes")
        self._lifetime = lifetime
        self._clock = clock
        self._serializer = URLSafeSerializer(
            secret,
            salt="smart-resize.links",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def path(self, name: str, file_name: str) -> str:
        """``/files/<token>/<file name>`` for the blob ``name``.

        The file name is for people and browsers: which blob is meant stands in the token alone.
        """
        label = quote(base_name(clean_label(file_name)), safe="")
        return f"/files/{self.sign(name)}/{label}"

    def sign(self, name: str) -> str:
        """A token for the blob ``name``, of letters that any URL can hold."""
        expires = int(self._clock() + self._lifetime)
        return str(self._serializer.dumps([name, expires]))

    def open(self, token: str) -> str:
        """The blob that the link is for; raises LinkInvalid when it is changed or too old."""
        try:
            name, expires = self._serializer.loads(token)
        except (BadData, UnicodeError) as error:
            raise LinkInvalid from error
        if self._clock() >= expires or not is_blob_name(name):
            raise LinkInvalid
        return str(name)


def find_secret(data: Path, given: SecretStr | None) -> bytes:
    """The operator's, which several machines share, or the one in the data folder."""
    if given is None:
        return load_secret(data / FILE)
    return hashlib.sha256(given.get_secret_value().encode()).digest()


def load_secret(path: Path) -> bytes:
    """The secret at ``path``, made by whichever process asks first; mode 0600.

    Raises:
        Unavailable: it can be neither read nor made, or is damaged.
    """
    try:
        try:
            secret = path.read_bytes()
        except FileNotFoundError:
            _make_secret(path)
            secret = path.read_bytes()
    except OSError as error:
        raise Unavailable("the secret of the links cannot be read or made") from error
    if len(secret) < SECRET_BYTES:
        raise Unavailable("the secret of the links is damaged")
    return secret


def _make_secret(path: Path) -> None:
    """Whole or not at all, and never over another one: a link of a name refuses to replace."""
    handle, staged = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  a handle has no path
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(staged)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        Path(staged).unlink(missing_ok=True)
