"""Signatures, checked by the libraries and the recipes that receivers use."""

import hashlib
import hmac
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from server.callbacks.signature import make_secret, sign, sign_standard

BODY = b'{"event":"run.completed","run_id":"1"}'


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/New_York"])
def somewhere(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")  # noqa: TID251  the zone is the process's
    os.environ["TZ"] = request.param  # noqa: TID251
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]  # noqa: TID251
    else:
        os.environ["TZ"] = before  # noqa: TID251
    time.tzset()


def test_the_hosted_header_is_the_plain_digest_of_the_body() -> None:
    secret = make_secret()
    expected = hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()
    assert sign(secret, BODY) == expected
    assert sign(secret, BODY + b" ") != expected


@pytest.mark.usefixtures("somewhere")
def test_standard_webhooks_verifies_in_every_time_zone_and_during_a_rotation() -> None:
    old, new = make_secret(), make_secret()
    headers = sign_standard([new, old], "job-0", datetime.now(UTC), BODY)
    for secret in (old, new):
        assert Webhook(secret).verify(BODY.decode(), headers)
    with pytest.raises(Exception, match="signature"):
        Webhook(make_secret()).verify(BODY.decode(), headers)


def test_secrets_are_long_and_never_the_same() -> None:
    made = {make_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in made)
