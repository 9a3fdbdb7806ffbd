"""The tables of the doors' pages, and what the code takes in the same words."""

import json
from typing import Any

from pydantic import BaseModel

from tests.house.house import ROOT

FOLDER = ROOT / "docs/doors"


def read_table(door: str, title: str, head: str) -> list[list[str]]:
    """The rows of the table below a title whose first column is called so."""
    page = (FOLDER / f"{door}.md").read_text()
    section = page.partition(f"### {title}\n")[2].partition("\n### ")[0]
    tables = [part.strip().splitlines() for part in section.split("\n\n")]
    for lines in tables:
        if lines[0].startswith(f"| {head} |"):
            return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[2:]]
    msg = f"{door}.md has no table of {head}s below {title}"
    raise AssertionError(msg)


def show_fields(kind: type[BaseModel]) -> list[list[str]]:
    """Name, type, default and what is allowed of every field, as the pages write them."""
    schema = kind.model_json_schema()
    needed, shared = schema.get("required", []), schema.get("$defs", {})
    rows = []
    for name, told in schema["properties"].items():
        field = _flatten(told, shared)
        default = "required" if name in needed else _show_default(field["default"])
        rows.append([f"`{name}`", _show_type(field), default, _show_allowed(field)])
    return rows


def _flatten(field: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Without references, and without null: that says nothing."""
    if "$ref" in field:
        return {**shared[field["$ref"].rpartition("/")[2]], **field}
    if "anyOf" in field:
        (kind,) = (each for each in field["anyOf"] if each != {"type": "null"})
        return {**_flatten(kind, shared), "default": field["default"]}
    return field


def _show_default(value: object) -> str:
    return "none" if value is None else f"`{json.dumps(value)}`"


def _show_type(field: dict[str, Any]) -> str:
    return f"list of {field['items']['type']}" if field["type"] == "array" else str(field["type"])


def _show_allowed(field: dict[str, Any]) -> str:
    if choices := field.get("enum", [field["const"]] if "const" in field else []):
        return " ".join(f"`{choice}`" for choice in choices)
    if "minimum" in field:
        most = field["maximum"] if "maximum" in field else field["exclusiveMaximum"] - 1
        return f"{field['minimum']} to {most}"
    if "maxItems" in field:
        return f"{field['minItems']} to {field['maxItems']} items"
    return f"at most {field['maxLength']} characters" if "maxLength" in field else ""
