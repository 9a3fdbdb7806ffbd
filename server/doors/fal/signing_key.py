"""The key that webhooks are signed with: ED25519, made once, kept in the data folder."""

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from server.errors import Unavailable
from server.images.links import SECRET_BYTES, load_secret

FILE = "fal-webhooks.secret"
"""In the data folder; the API shows the public half, the workers sign."""

PURPOSE = b"smart-resize.fal-webhooks"
"""Keeps what follows from the operator's secret apart from all else that does."""


class SigningKey:
    """Signs, and shows how signatures are checked."""

    def __init__(self, secret: bytes) -> None:
        """``secret`` is the private key itself, 32 bytes."""
        self._private = Ed25519PrivateKey.from_private_bytes(secret)

    def sign(self, message: bytes) -> str:
        """128 hex digits."""
        return self._private.sign(message).hex()

    def render_keys(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set (RFC 8037)."""
        public = self._private.public_key().public_bytes_raw()
        x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
        name = hashlib.sha256(public).hexdigest()[:16]
        key = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": name, "use": "sig", "alg": "EdDSA"}
        return {"keys": [key]}


def find_signing_key(data: Path, given: SecretStr | None) -> SigningKey:
    """One that follows from the operator's secret, so that all machines have the same, or our own.

    Our own is in the data folder, made by whichever process asks first; mode 0600.

    Raises:
        Unavailable: it can be neither read nor made, or is damaged.
    """
    if given is not None:
        shared = given.get_secret_value().encode()
        return SigningKey(hmac.digest(shared, PURPOSE, "sha256"))
    try:
        secret = load_secret(data / FILE)
    except Unavailable as error:
        msg = "the key that webhooks are signed with cannot be read or made"
        raise Unavailable(msg) from error
    return SigningKey(secret[:SECRET_BYTES])
