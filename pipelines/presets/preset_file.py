"""Presets as files: what this project ships, and an operator's own file laid over it.

A table per platform; its keys but ``presets`` are defaults for the presets below it:

    [acme]
    sources = ["brand book 2026"]
    format = "webp"

    [acme.presets]
    hero = { title = "Hero", size = "1920x600", max_bytes = 200_000, clear = { right = 0.4 } }
    card = { title = "Card", mm = [85, 55], dpi = 300, bleed = 3 }

Presets that are wanted together are a collection, which one with the same name replaces:

    [[collection]]
    name = "launch"
    title = "Everything for a launch"
    presets = ["acme/hero", "meta/story"]

``clear`` is how deep each edge is kept clear, ``keep_clear`` a list of boxes, both in fractions;
``max_bytes = 0`` is no limit.
What the operator's file says of a preset or platform that is shipped replaces just that key.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption
from pipelines.geometry import Box, Size
from pipelines.presets.catalogue import Catalogue
from pipelines.presets.collection import Collection
from pipelines.presets.preset import Grade, Preset
from pipelines.presets.sheet import Sheet
from pipelines.presets.zones import edge_zones

Fields = Mapping[str, Any]
"""A preset as the file spells it, defaults included."""

Tables = Mapping[str, Fields]
"""Presets by their id."""

SHIPPED = Path(__file__).with_name("presets.toml")
MOST = 1_000_000
"""Characters of a file."""

SIDES = ("left", "top", "right", "bottom")
PAPER = ("dpi", "bleed", "margin")

_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "title": str,
    "size": str,
    "mm": list,
    **dict.fromkeys(PAPER, (int, float)),
    "format": str,
    "max_bytes": int,
    "clear": dict,
    "keep_clear": list,
    "sources": list,
    "checked": date,
    "grade": str,
    "note": str,
}
_RIVALS = (("size", "mm"), ("clear", "keep_clear"))
"""Keys that stand for the same thing: who gives one takes back the other."""


@cache
def read_shipped() -> Catalogue:
    """What this project ships; the same object every time."""
    return read_presets()


def read_presets(own: Path | None = None) -> Catalogue:
    """What is shipped, with the operator's ``own`` file laid over it.

    Raises:
        InvalidOption: a file that cannot be read, or says what no preset can be.
    """
    shipped, bundled = _read(SHIPPED)
    if own is None:
        return _build(_flatten(shipped), {}, bundled)
    try:
        said, added = _read(own)
        merged = {
            name: {**shipped.get(name, {}), **said.get(name, {})} for name in {**shipped, **said}
        }
        for name, table in merged.items():
            tables = (shipped.get(name, {}), said.get(name, {}))
            table["presets"] = _merge(*(side.get("presets", {}) for side in tables))
        return _build(_flatten(merged), said, {**bundled, **added}, own.name)
    except InvalidOption as error:
        msg = f"{own}: {error.detail}"
        raise InvalidOption(msg) from error


def _read(path: Path) -> tuple[dict[str, Fields], dict[str, Collection]]:
    """The tables of a file, each of the right shape, and its collections by their names."""
    try:
        with path.open(encoding="utf-8") as file:
            document = tomllib.loads(file.read(MOST))
    except OSError as error:
        msg = "presets cannot be read"
        raise InvalidOption(msg) from error
    except ValueError as error:  # neither UTF-8 nor TOML
        msg = f"presets are written in TOML: {error}"
        raise InvalidOption(msg) from error
    collections = _read_collections(document.pop("collection", []))
    for platform, table in document.items():
        rows = table.get("presets", {}) if isinstance(table, dict) else None
        if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
            msg = f"{platform} is a table, and so are its presets"
            raise InvalidOption(msg)
        for name, fields in ((platform, _defaults(table)), *rows.items()):
            _check(name if name == platform else f"{platform}/{name}", fields)
    return document, collections


def _read_collections(tables: Any) -> dict[str, Collection]:
    try:
        found = [
            Collection(**{**table, "presets": tuple(map(str, table["presets"]))})
            for table in tables
        ]
    except (TypeError, LookupError) as error:
        msg = "a [[collection]] has a name, a title and a list of presets, and nothing else"
        raise InvalidOption(msg) from error
    return {collection.name: collection for collection in found}


def _check(what: str, fields: Fields) -> None:
    for key, value in fields.items():
        if key not in _KINDS:
            msg = f"{what} has {key!r}, which means nothing here"
            raise InvalidOption(msg)
        if not isinstance(value, _KINDS[key]) or isinstance(value, bool):
            msg = f"{key} of {what} is {value!r}, which it cannot be"
            raise InvalidOption(msg)


def _defaults(table: Fields) -> Fields:
    return {key: value for key, value in table.items() if key != "presets"}


def _merge(below: Mapping[str, Fields], above: Mapping[str, Fields]) -> dict[str, Fields]:
    """Presets of one platform, key by key."""
    merged = dict(below)
    for name, fields in above.items():
        taken_back = {
            old
            for pair in _RIVALS
            for new, old in (pair, pair[::-1])
            if new in fields and old not in fields
        }
        if "mm" in taken_back:
            taken_back |= set(PAPER)
        kept = {key: value for key, value in merged.get(name, {}).items() if key not in taken_back}
        merged[name] = {**kept, **fields}
    return merged


def _flatten(document: Mapping[str, Fields]) -> Tables:
    return {
        f"{platform}/{name}": {**_defaults(table), **fields}
        for platform, table in document.items()
        for name, fields in table.get("presets", {}).items()
    }


def _build(
    tables: Tables,
    own: Mapping[str, Fields],
    collections: Mapping[str, Collection],
    file: str = "",
) -> Catalogue:
    presets = []
    for name, fields in tables.items():
        platform, _, row = name.partition("/")
        said = own.get(platform, {})
        local = bool(_defaults(said)) or row in said.get("presets", {})
        presets.append(_preset(name, {"sources": [file], **fields}, local=local))
    return Catalogue(tuple(presets), tuple(collections.values()))


def _preset(name: str, fields: Fields, *, local: bool) -> Preset:
    if "title" not in fields or ("size" in fields) == ("mm" in fields):
        msg = f"{name} needs a title, and either a size in px or a sheet in mm"
        raise InvalidOption(msg)
    if "mm" not in fields and ("bleed" in fields or "margin" in fields):
        msg = f"{name}: bleed and margin are for sheets in mm"
        raise InvalidOption(msg)
    try:
        sheet = _sheet(fields) if "mm" in fields else None
        clear, boxes = fields.get("clear"), fields.get("keep_clear", ())
        edges = edge_zones(**_edges(clear)) if clear else sheet.keep_clear if sheet else ()
        return Preset(
            id=name,
            title=fields["title"],
            size=sheet.size if sheet else Size.parse(fields["size"]),
            format=Format.parse(fields.get("format", "jpeg")),
            sources=tuple(map(str, fields["sources"])),
            checked=fields.get("checked"),
            grade=Grade(fields["grade"]) if "grade" in fields else None,
            max_bytes=fields.get("max_bytes") or None,
            keep_clear=(*edges, *map(_box, boxes)),
            sheet=sheet,
            note=fields.get("note", ""),
            local=local,
        )
    except (TypeError, ValueError) as error:
        msg = f"{name} says what no preset can be: {error}"
        raise InvalidOption(msg) from error
    except InvalidOption as error:
        msg = f"{name}: {error.detail.removeprefix(f'{name}: ')}"
        raise InvalidOption(msg) from error


def _sheet(fields: Fields) -> Sheet:
    width, height = map(float, fields["mm"])
    return Sheet(width, height, **{key: float(fields[key]) for key in PAPER if key in fields})


def _edges(clear: Fields) -> dict[str, float]:
    if strange := sorted(set(clear).difference(SIDES)):
        msg = f"an edge is left, top, right or bottom, not {strange[0]!r}"
        raise InvalidOption(msg)
    return {side: float(depth) for side, depth in clear.items()}


def _box(sides: Any) -> Box:
    return Box(*map(float, sides))
