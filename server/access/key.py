"""An API key: a random secret that is shown once, and what is kept of it."""

import hashlib
import secrets
import string
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PREFIX = "sr_"
ALPHABET = string.ascii_letters + string.digits
LENGTH = 43
"""Characters after the prefix: 256 bits. Some clients refuse keys with other characters."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key: never the secret, only its digest.

    ``rate`` is requests a minute and ``concurrency`` unfinished jobs, 0 for no limit.
    ``retention`` is how many seconds outputs are kept, None for the server's own. ``defaults`` are
    fields of a run where its caller says nothing.
    """

    id: str
    name: str
    digest: str
    created_at: datetime
    revoked_at: datetime | None = None
    rate: int = 0
    concurrency: int = 0
    retention: int | None = None
    defaults: dict[str, Any] | None = None


def make_secret() -> str:
    """A new key, to be shown once."""
    return PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def digest_of(secret: str) -> str:
    """SHA-256 in hex: enough for what nobody can guess."""
    return hashlib.sha256(secret.encode()).hexdigest()
