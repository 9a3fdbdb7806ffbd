"""The page about fal's door says what the code does."""

import json
import re

from pydantic_core import PydanticUndefined

from server.api.fal.place import HOSTS
from server.doors.fal.preset import SCALES, SIZES
from server.doors.fal.refusal import FAULTS
from server.doors.fal.wish import SmartResizeInput
from tests.house.house import ROOT

PYDANTIC = {"missing", "literal_error", "greater_than_equal"}
"""Some of its types, as examples."""

PAGE = (ROOT / "docs/doors/fal.md").read_text()


def read_table(title: str, columns: int) -> list[list[str]]:
    """The rows of the first table below a title with so many columns, without its head."""
    section = PAGE.partition(f"### {title}\n")[2].partition("\n### ")[0]
    rows = [line[1:-1].split("|") for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows]
    return [row for row in cells if len(row) == columns and not row[0].startswith("---")][1:]


def test_every_field_is_there_with_its_default() -> None:
    shown = {row[0].strip("`"): row[1] for row in read_table("Input", 4)}
    assert list(shown) == list(SmartResizeInput.model_fields)
    for name, field in SmartResizeInput.model_fields.items():
        if field.default is PydanticUndefined:
            assert shown[name] == "required"
        elif field.default is None:
            assert shown[name].startswith("none")
        else:
            assert json.loads(shown[name].strip("`")) == field.default


def test_every_choice_is_there() -> None:
    shown = {row[0].strip("`"): row[2] for row in read_table("Input", 4)}
    fields = SmartResizeInput.model_json_schema()["properties"]
    for name in ("resolution", "output_format"):
        assert re.findall("`(.*?)`", shown[name]) == fields[name]["enum"]
    least, most = fields["safety_tolerance"]["enum"][0], fields["safety_tolerance"]["enum"][-1]
    assert shown["safety_tolerance"].startswith(f'`"{least}"` to `"{most}"`')
    number = fields["num_images_per_size"]
    assert shown["num_images_per_size"] == f"{number['minimum']} to {number['maximum']}"


def test_every_preset_is_there() -> None:
    shown = [row for row in read_table("Output", 4) if row[0] != "preset"]
    assert shown == [
        [f"`{name}`", *(f"{size.width * n}x{size.height * n}" for n in SCALES.values())]
        for name, size in SIZES.items()
    ]


def test_every_host_is_there() -> None:
    shown = dict(re.findall(r"host `(.*?)`, or path `(.*?)/…`", PAGE))
    assert shown == dict(HOSTS)


def test_every_error_is_there_and_none_that_is_never_sent() -> None:
    shown = set()
    for row in read_table("Errors", 2):
        statuses, kinds = re.findall(r"\d{3}", row[0]), re.findall("`(.*?)`", row[0])
        shown |= {(int(status), kind) for status in statuses for kind in kinds or [None]}
    assert {(fault.status, fault.kind) for fault in FAULTS.values()} <= shown
    of_fields = {pair for pair in shown if pair[0] == 422 and pair[1] in PYDANTIC}
    known = {(fault.status, fault.kind) for fault in FAULTS.values()} | of_fields
    assert shown == known
