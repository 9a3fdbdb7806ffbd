"""The API keys in the database."""

import hmac
import time
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import uuid_utils

from server.access.key import ApiKey, digest_of, make_secret
from server.database.schema import JSON, METADATA
from server.database.times import Time

FRESH = 2.0
"""Seconds that a key once found is believed without another look."""

REMEMBERED = 10_000
"""Secrets, right or wrong; whoever guesses fills no memory."""

KEYS = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("revoked_at", Time),
    sa.Column("rate", sa.Integer, nullable=False, default=0),
    sa.Column("concurrency", sa.Integer, nullable=False, default=0),
    sa.Column("retention", sa.Integer),
    sa.Column("defaults", JSON),
)


class KeyStore:
    """Looks keys up, makes and revokes them; may be used from several threads."""

    def __init__(self, engine: sa.Engine) -> None:
        """Nothing is read yet."""
        self._engine = engine
        self._seen: dict[str, tuple[float, ApiKey | None]] = {}
        self._any: tuple[float, bool] = (0.0, False)

    def create(
        self,
        name: str,
        *,
        rate: int = 0,
        concurrency: int = 0,
        retention: int | None = None,
        defaults: dict[str, Any] | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its secret, which is shown now and never again."""
        secret = make_secret()
        key = ApiKey(
            id=str(uuid_utils.uuid7()),
            name=name,
            digest=digest_of(secret),
            created_at=datetime.now(UTC),
            rate=rate,
            concurrency=concurrency,
            retention=retention,
            defaults=defaults,
        )
        with self._engine.begin() as connection:
            connection.execute(KEYS.insert().values(**_to_row(key)))
        return key, secret

    def find(self, secret: str) -> ApiKey | None:
        """The key that this is the secret of, unless it was revoked."""
        digest = digest_of(secret)
        since, key = self._seen.get(digest, (0.0, None))
        if time.monotonic() - since > FRESH:
            key = self._look_up(digest)
            if len(self._seen) > REMEMBERED:
                self._seen.clear()
            self._seen[digest] = (time.monotonic(), key)
        return key

    def any(self) -> bool:
        """Whether there ever was a key: revoking the last one opens nothing."""
        since, found = self._any
        if time.monotonic() - since > FRESH:
            with self._engine.connect() as connection:
                query = sa.select(KEYS.c.id).limit(1)
                found = connection.execute(query).first() is not None
            self._any = (time.monotonic(), found)
        return found

    def revoke(self, name_or_id: str) -> list[ApiKey]:
        """End the keys of this name, or the one with this id; returns those that were valid."""
        valid = [
            key
            for key in self.list()
            if name_or_id in {key.id, key.name} and key.revoked_at is None
        ]
        with self._engine.begin() as connection:
            for key in valid:
                query = KEYS.update().where(KEYS.c.id == key.id)
                connection.execute(query.values(revoked_at=datetime.now(UTC)))
        return valid

    def list(self) -> list[ApiKey]:
        """All of them, the oldest first, revoked ones too."""
        with self._engine.connect() as connection:
            rows = connection.execute(KEYS.select().order_by(KEYS.c.created_at, KEYS.c.id)).all()
        return [_to_key(row) for row in rows]

    def _look_up(self, digest: str) -> ApiKey | None:
        with self._engine.connect() as connection:
            row = connection.execute(KEYS.select().where(KEYS.c.digest == digest)).first()
        if row is None or row.revoked_at is not None:
            return None
        key = _to_key(row)
        return key if hmac.compare_digest(key.digest, digest) else None


def _to_row(key: ApiKey) -> dict[str, object]:
    return {column.name: getattr(key, column.name) for column in KEYS.columns}


def _to_key(row: sa.Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(**row._mapping)  # noqa: SLF001  the library's public name for it
