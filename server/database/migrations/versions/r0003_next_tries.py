"""When the next try of a callback is due."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Tries of before say nothing of a next one."""
    op.add_column("delivery_attempts", sa.Column("next_at", sa.DateTime(timezone=True)))
