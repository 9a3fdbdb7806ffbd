"""The secrets that callbacks are signed with, key by key."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
import uuid_utils

from server.callbacks.signature import PREFIX, make_secret
from server.database.schema import METADATA
from server.database.times import Time
from server.errors import NotFound

SECRETS = sa.Table(
    "callback_secrets",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("owner", sa.String(36), nullable=False, index=True),
    sa.Column("label", sa.String(200), nullable=False),
    sa.Column("plain", sa.String(100), nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("disabled_at", Time),
    sa.Column("last_used_at", Time),
)

SHOWN = len(PREFIX) + 4
"""Characters of a secret that its owner can tell it by."""


@dataclass(frozen=True, slots=True)
class CallbackSecret:
    """One secret; signing needs it as it is, so it is kept as it is."""

    id: str
    owner: str
    label: str
    plain: str
    created_at: datetime
    disabled_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def key_prefix(self) -> str:
        """Its first characters."""
        return self.plain[:SHOWN]


class CallbackSecrets:
    """Makes, lists and ends secrets; may be used from several threads."""

    def __init__(self, engine: sa.Engine) -> None:
        """Nothing is read yet."""
        self._engine = engine

    def create(self, owner: str, label: str) -> CallbackSecret:
        """A new one; from now on it signs."""
        secret = CallbackSecret(
            str(uuid_utils.uuid7()), owner, label, make_secret(), datetime.now(UTC)
        )
        row = {column.name: getattr(secret, column.name) for column in SECRETS.columns}
        with self._engine.begin() as connection:
            connection.execute(SECRETS.insert().values(**row))
        return secret

    def disable(self, owner: str, secret_id: str) -> CallbackSecret:
        """It signs no more; raises NotFound."""
        mine = sa.and_(SECRETS.c.id == secret_id, SECRETS.c.owner == owner)
        with self._engine.begin() as connection:
            unused = SECRETS.update().where(mine, SECRETS.c.disabled_at.is_(None))
            connection.execute(unused.values(disabled_at=datetime.now(UTC)))
            row = connection.execute(SECRETS.select().where(mine)).first()
        if row is None:
            raise NotFound
        return _to_secret(row)

    def sign_with(self, owner: str) -> list[CallbackSecret]:
        """Those that are valid, the newest first; notes that they were used."""
        valid = [secret for secret in self.list(owner) if secret.disabled_at is None]
        if valid:
            used = SECRETS.c.id.in_([secret.id for secret in valid])
            with self._engine.begin() as connection:
                connection.execute(
                    SECRETS.update().where(used).values(last_used_at=datetime.now(UTC))
                )
        return valid

    def list(self, owner: str) -> list[CallbackSecret]:
        """All of an owner's, the newest first, disabled ones too."""
        query = SECRETS.select().where(SECRETS.c.owner == owner)
        query = query.order_by(SECRETS.c.created_at.desc(), SECRETS.c.id.desc())
        with self._engine.connect() as connection:
            return [_to_secret(row) for row in connection.execute(query)]


def _to_secret(row: sa.Row[tuple[object, ...]]) -> CallbackSecret:
    return CallbackSecret(**row._mapping)  # noqa: SLF001  the library's public name for it
