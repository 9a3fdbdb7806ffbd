"""``smart-resize presets``: named sizes, and what is known of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pipelines.presets.preset import Preset
from pipelines.presets.preset_file import read_presets
from pipelines.presets.zones import describe_zones

app = typer.Typer(
    name="presets",
    help="Named sizes with their format, byte limit and keep-clear zones.",
    no_args_is_help=True,
)

OWN = "Presets of your own, in TOML, laid over those that are shipped."

PresetFile = Annotated[Path | None, typer.Option("--preset-file", metavar="FILE", help=OWN)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_presets(
    *,
    platform: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only those of one platform, like iab.")
    ] = None,
    preset_file: PresetFile = None,
    as_json: Json = False,
) -> None:
    """Show every preset: size, format, byte limit, grade and title; then the collections.

    Grade A is the maker's own text, B several third parties that agree, C one of them, or several
    that disagree.
    """
    catalogue = read_presets(preset_file)
    presets = catalogue.of(platform) if platform else catalogue.presets
    if as_json:
        typer.echo(json.dumps([preset.to_json() for preset in presets], indent=2))
        return
    _print_table([("preset", "size", "format", "limit", "grade", "title"), *map(_row, presets)])
    if catalogue.collections and platform is None:
        typer.echo("")
        rows = [(each.name, str(len(each.presets)), each.title) for each in catalogue.collections]
        _print_table([("collection", "presets", "title"), *rows])


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="As list shows it, like meta/story or ads.")
    ],
    *,
    preset_file: PresetFile = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of one preset, and where from; or what is in a collection."""
    catalogue = read_presets(preset_file)
    if collection := catalogue.find_collection(name):
        if as_json:
            typer.echo(json.dumps(collection.to_json(), indent=2))
        else:
            typer.echo(collection.title)
            _print_table([*map(_row, catalogue.select([name]))])
        return
    preset = catalogue.find(name)
    if as_json:
        typer.echo(json.dumps(preset.to_json(), indent=2))
        return
    facts = [
        ("title", preset.title),
        ("size", f"{preset.size} px"),
        ("paper", _paper(preset)),
        ("format", preset.format.value),
        ("limit", preset.limit),
        ("keep clear", describe_zones(preset.keep_clear)),
        *(("source", source) for source in preset.sources),
        ("checked", preset.checked.isoformat() if preset.checked else ""),
        ("grade", f"{preset.grade}: {preset.grade.words}" if preset.grade else ""),
        ("note", preset.note),
        ("local", "this or some of it is from your own file" if preset.local else ""),
    ]
    _print_table([fact for fact in facts if fact[1]])


def _row(preset: Preset) -> tuple[str, ...]:
    grade = (preset.grade or "-") + " local" * preset.local
    form = preset.format.value
    return preset.id, str(preset.size), form, preset.limit or "-", grade, preset.title


def _paper(preset: Preset) -> str:
    sheet = preset.sheet
    if sheet is None:
        return ""
    words = f"{sheet.width:g} x {sheet.height:g} mm at {sheet.dpi:g} dpi"
    if sheet.bleed:
        words += f", {sheet.bleed:g} mm bleed on each side"
    return words


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
