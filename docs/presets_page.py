"""Writes the page of presets from their data."""

from pipelines.presets.catalogue import Catalogue
from pipelines.presets.preset import Grade, Preset
from pipelines.presets.preset_file import read_shipped
from pipelines.presets.zones import describe_zones

HEAD = """\
# Presets

Made by `make docs` from `pipelines/presets/presets.toml`.

A preset is a size with what belongs to it: a format, a byte limit and zones that no subject may lie
in. `--preset meta/story,iab` makes one size and all of a platform, `--preset ads` a collection;
over HTTP it is `"presets": ["meta/story", "ads"]`. What you say yourself wins: `--format`,
`--max-bytes` and `--keep-clear` take the place of the preset's own. A file that cannot be made
small enough is an error, never a larger file.

`smart-resize presets list` shows them, `smart-resize presets show meta/story` one of them with its
sources, `GET /v1/presets` the same as JSON.

The format is this project's choice where a platform takes several. Platforms change their sizes:
each preset says where it is from, when that was read last, and how far it is to be trusted:"""

OWN = """\
## Your own

`--preset-file FILE` lays a TOML file over these. It may change a key of a preset that is here, or
add platforms and presets:

```toml
[meta.presets]
story = { clear = { top = 0.14, bottom = 0.35 } }

[acme]
sources = ["brand book 2026"]
format = "webp"

[acme.presets]
hero = { title = "Hero", size = "1920x600", max_bytes = 200_000, clear = { right = 0.4 } }
card = { title = "Card", mm = [85, 55], dpi = 300, bleed = 3, margin = 3 }

[[collection]]
name = "launch"
title = "Everything for a launch"
presets = ["acme/hero", "acme/card", "meta/story"]
```

`clear` is how deep each edge is kept clear, `keep_clear` a list of boxes `[left, top, right,
bottom]`, both in fractions of the output. `max_bytes = 0` is no limit. Sheets are given in mm; the
`bleed` is added to them on all sides, and bleed and `margin` are kept clear."""


def write_presets() -> str:
    """Every shipped preset, platform by platform, with its sources."""
    catalogue = read_shipped()
    grades = "\n".join(f"- {grade}: {grade.words};" for grade in Grade)
    parts = [HEAD, grades.removesuffix(";") + "."]
    parts.append(_collections(catalogue))
    parts += [_platform(catalogue, platform) for platform in catalogue.platforms]
    return "\n\n".join([*parts, OWN]) + "\n"


def _collections(catalogue: Catalogue) -> str:
    rows = [
        f"- `{each.name}`: {each.title}: {', '.join(f'`{name}`' for name in each.presets)}"
        for each in catalogue.collections
    ]
    return "\n".join(["## Collections", "", *rows])


def _platform(catalogue: Catalogue, platform: str) -> str:
    presets = catalogue.of(platform)
    sources = list(dict.fromkeys(source for preset in presets for source in preset.sources))
    head = [
        f"## {platform}",
        "",
        "| preset | px | format | limit | kept clear | checked | grade | what it is | sources |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows = [_row(preset, sources) for preset in presets]
    listed = [f"{number}. {_link(source)}" for number, source in enumerate(sources, 1)]
    return "\n".join([*head, *rows, "", *listed])


def _row(preset: Preset, sources: list[str]) -> str:
    words = preset.title + (f". {preset.note}" if preset.note else "")
    numbers = ", ".join(str(sources.index(source) + 1) for source in preset.sources)
    cells = (
        f"`{preset.id}`",
        str(preset.size),
        preset.format.value,
        preset.limit,
        describe_zones(preset.keep_clear),
        str(preset.checked or ""),
        str(preset.grade or ""),
        words,
        numbers,
    )
    return f"| {' | '.join(cells)} |"


def _link(source: str) -> str:
    return f"<{source}>" if source.startswith(("http:", "https:")) else source
