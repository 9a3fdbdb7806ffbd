"""A batch as a table: ``report.csv``, a row for each output."""

import csv
import io
from collections.abc import Iterable

from server.batch.ledger import Entry

COLUMNS = (
    "input",
    "output",
    "preset",
    "size",
    "bytes",
    "seconds",
    "painted",
    "cropped",
    "seam",
    "needs_review",
    "warnings",
    "error",
    "detail",
)

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of something to carry out."""


def write_table(entries: Iterable[Entry]) -> bytes:
    """CSV in UTF-8; no text in it is a formula to a spreadsheet."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([_cell(getattr(entry, name)) for name in COLUMNS])
    return file.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case tuple():
            return _defuse("; ".join(map(str, value)))
        case _:
            return _defuse(str(value))


def _defuse(text: str) -> str:
    """With an apostrophe in front, which spreadsheets take for: this is text."""
    return f"'{text}" if text.startswith(FORMULA) else text
