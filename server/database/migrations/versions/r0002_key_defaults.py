"""What a key's runs get where the caller says nothing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Keys of before have none."""
    op.add_column("api_keys", sa.Column("defaults", JSON))
