"""Uploads in three steps: announce, send, confirm; then a job can name them."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
import uuid_utils

from server.database.schema import METADATA
from server.database.times import Time
from server.errors import AssetNotFound, BlobMissing, InvalidBody
from server.images.store import ImageStore

ASSETS = sa.Table(
    "assets",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("owner", sa.String(36), nullable=False),
    sa.Column("name", sa.String(500), nullable=False),
    sa.Column("media_type", sa.String(255), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("created_at", Time, nullable=False, index=True),
    sa.Column("confirmed_at", Time),
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One upload; ``size`` in bytes as announced. It can be used once it is confirmed."""

    id: str
    owner: str
    name: str
    media_type: str
    size: int
    created_at: datetime
    confirmed_at: datetime | None = None

    @property
    def blob(self) -> str:
        """Where its bytes are in the image store."""
        return f"assets/{self.id}/0"


class Assets:
    """The uploads of all keys; nobody sees another one's."""

    def __init__(self, engine: sa.Engine, store: ImageStore) -> None:
        """Nothing is read yet."""
        self._engine = engine
        self._store = store

    def announce(self, owner: str, name: str, media_type: str, size: int) -> Asset:
        """A new upload, of which nothing has come yet; raises StorageFull."""
        self._store.check()
        asset = Asset(str(uuid_utils.uuid7()), owner, name, media_type, size, datetime.now(UTC))
        row = {column.name: getattr(asset, column.name) for column in ASSETS.columns}
        with self._engine.begin() as connection:
            connection.execute(ASSETS.insert().values(**row))
        return asset

    def receive(self, asset: Asset, data: bytes) -> None:
        """Keep the bytes; raises InvalidBody where they are not as many as announced.

        What was confirmed never changes: then it raises AssetNotFound. Raises StorageFull.
        """
        if asset.confirmed_at is not None:
            raise AssetNotFound
        if len(data) != asset.size:
            msg = f"{asset.size} bytes were announced, {len(data)} came"
            raise InvalidBody(msg)
        self._store.check()
        self._store.put(asset.blob, data)

    def confirm(self, owner: str, asset_id: str) -> Asset:
        """The upload may be used now; raises AssetNotFound, or InvalidBody where nothing came."""
        asset = self.find(owner, asset_id)
        try:
            self._store.read(asset.blob)
        except BlobMissing:
            msg = "nothing has been uploaded yet"
            raise InvalidBody(msg) from None
        if asset.confirmed_at is None:
            with self._engine.begin() as connection:
                query = ASSETS.update().where(ASSETS.c.id == asset_id)
                connection.execute(query.values(confirmed_at=datetime.now(UTC)))
        return self.find(owner, asset_id)

    def find(self, owner: str, asset_id: str) -> Asset:
        """One of the owner's uploads; raises AssetNotFound."""
        return self._read(ASSETS.c.id == asset_id, ASSETS.c.owner == owner)

    def find_blob(self, blob: str) -> Asset:
        """The upload whose bytes are to lie there; raises AssetNotFound."""
        kind, _, rest = blob.partition("/")
        return self._read(ASSETS.c.id == rest.partition("/")[0], sa.literal(kind) == "assets")

    def _read(self, *conditions: sa.ColumnElement[bool]) -> Asset:
        with self._engine.connect() as connection:
            row = connection.execute(ASSETS.select().where(*conditions)).first()
        if row is None:
            raise AssetNotFound
        return _to_asset(row)

    def sweep(self, before: datetime) -> int:
        """Forget what is older, bytes and all; returns how many there were."""
        with self._engine.connect() as connection:
            query = sa.select(ASSETS.c.id).where(ASSETS.c.created_at < before).limit(500)
            old = [row.id for row in connection.execute(query)]
        for asset_id in old:
            self._store.delete(f"assets/{asset_id}/")
            with self._engine.begin() as connection:  # the row last: it says what is left to do
                connection.execute(ASSETS.delete().where(ASSETS.c.id == asset_id))
        return len(old)


def _to_asset(row: sa.Row[tuple[object, ...]]) -> Asset:
    return Asset(**row._mapping)  # noqa: SLF001  the library's public name for it
