"""The tables' common ground: every room declares its own tables on it.

What is declared is what the newest script in ``migrations`` leaves; a test compares.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

METADATA = sa.MetaData()

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
"""Plain JSON values; nothing is ever pickled."""
