"""The page about fal's door says what the code does."""

import re

from server.api.fal.place import HOSTS
from server.doors.fal.preset import SCALES, SIZES
from server.doors.fal.refusal import FAULTS
from tests.house.house import ROOT
from tests.server.doors.page import read_table

PYDANTIC = {"missing", "literal_error", "greater_than_equal"}
"""Some of its types, as examples."""

PAGE = (ROOT / "docs/doors/fal.md").read_text()


def test_every_preset_is_there() -> None:
    assert read_table("fal", "Output", "preset") == [
        [f"`{name}`", *(f"{size.width * n}x{size.height * n}" for n in SCALES.values())]
        for name, size in SIZES.items()
    ]


def test_every_host_is_there() -> None:
    shown = dict(re.findall(r"host `(.*?)`, or path `(.*?)/…`", PAGE))
    assert shown == dict(HOSTS)


def test_every_error_is_there_and_none_that_is_never_sent() -> None:
    shown = set()
    for row in read_table("fal", "Errors", "answer"):
        statuses, kinds = re.findall(r"\d{3}", row[0]), re.findall("`(.*?)`", row[0])
        shown |= {(int(status), kind) for status in statuses for kind in kinds or [None]}
    assert {(fault.status, fault.kind) for fault in FAULTS.values()} <= shown
    of_fields = {pair for pair in shown if pair[0] == 422 and pair[1] in PYDANTIC}
    known = {(fault.status, fault.kind) for fault in FAULTS.values()} | of_fields
    assert shown == known
