"""Proof that a callback is ours: an HMAC over the very bytes that are sent.

The hosted API's header is the hex digest alone. Standard Webhooks' three headers say the same with
an id and a time, and one signature for each secret that is valid during a rotation.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"
BYTES = 32
"""Of a secret; Standard Webhooks asks for at least 24."""


def make_secret() -> str:
    """A new secret, to be shown once: 32 random bytes in base64 behind the prefix."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def sign(secret: str, body: bytes) -> str:
    """64 hex digits: HMAC-SHA256 of the body, keyed with the secret as it was shown."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sign_standard(
    valid: Sequence[str], message_id: str, when: datetime, body: bytes
) -> dict[str, str]:
    """The headers of Standard Webhooks; ``message_id`` stays the same over all attempts."""
    when = when.astimezone(UTC)  # the library takes any time for UTC
    signatures = [Webhook(secret).sign(message_id, when, body.decode()) for secret in valid]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
