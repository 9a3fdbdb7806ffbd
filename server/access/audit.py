"""Who changed what: one line per act of an administrator, only ever added to."""

import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "audit.jsonl"


def note(data: Path, act: str, **details: Any) -> None:
    """Add a line to the data folder's record; never a secret."""
    line = {
        "time": datetime.now(UTC).isoformat(),
        "act": act,
        "user": getpass.getuser(),
        "process": os.getpid(),
        **details,
    }
    with (data / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, default=str) + "\n")
        file.flush()
        os.fsync(file.fileno())
