"""Times in the database: in UTC, and with their zone when they come back."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class Time(sa.TypeDecorator[datetime]):
    """A moment; SQLite forgets the zone, so everything is kept and read as UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """To UTC; a time without a zone is a defect of ours."""
        del dialect
        if value is None:
            return None
        assert value.tzinfo is not None
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """With its zone."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
