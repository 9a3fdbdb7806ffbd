"""The options of run, plan and batch: what to fill, and what to keep.

A column of a batch's table has the name of its option.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pipelines.composition import SubjectKind
from pipelines.geometry import Edge
from pipelines.rules import Anchor, Policy, Prefer
from pipelines.target import Tier

TARGET = "What to fill"
RULES = "What to keep"
PAINT = "What to paint"
OUTPUT = "What to write"

Images = Annotated[
    list[str], typer.Argument(metavar="IMAGE...", help="Pictures, folders, or - for stdin.")
]
JsonLines = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print a JSON record per output on stdout, one a line.",
        rich_help_panel=OUTPUT,
    ),
]
Series = Annotated[
    bool,
    typer.Option(
        "--series",
        help="Plan for the first picture and place all others, of the same ratio, alike.",
        rich_help_panel=TARGET,
    ),
]
OwnPresets = Annotated[
    Path | None,
    typer.Option(
        "--preset-file",
        metavar="FILE",
        help="Presets of your own, in TOML, laid over those that are shipped.",
        rich_help_panel=TARGET,
    ),
]
_Percent = Annotated[
    float,
    typer.Option(
        min=0,
        max=400,
        metavar="PERCENT",
        help="Grow this side by percent of the source.",
        rich_help_panel=TARGET,
    ),
]


def option(words: str, panel: str, *names: str, metavar: str | None = None) -> object:
    """An option that takes whatever its type allows."""
    return typer.Option(*names, metavar=metavar, help=words, rich_help_panel=panel)


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """What to fill."""

    aspect: Annotated[
        list[str] | None,
        option(
            "Ratios, like 16:9; repeat, or separate by commas.",
            TARGET,
            "--aspect",
            "-a",
            metavar="RATIO",
        ),
    ] = None
    resolution: Annotated[
        Tier,
        typer.Option(
            case_sensitive=False,
            help="Long side of what --aspect gives: 1024, 2048 or 4096 px.",
            rich_help_panel=TARGET,
        ),
    ] = Tier.ONE_K
    size: Annotated[
        list[str] | None,
        option(
            "Exact sizes, like 1080x1350; repeat, or separate by commas.",
            TARGET,
            "--size",
            "-s",
            metavar="WxH",
        ),
    ] = None
    preset: Annotated[
        list[str] | None,
        option(
            "Named sizes with format, byte limit and zones: meta/story, all of iab, or a "
            "collection like ads; repeat, or separate by commas.",
            TARGET,
            "--preset",
            metavar="ID",
        ),
    ] = None
    expand_left: _Percent = 0
    expand_top: _Percent = 0
    expand_right: _Percent = 0
    expand_bottom: _Percent = 0


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """What to keep."""

    policy: Annotated[
        Policy, option("expand never crops, crop never paints, auto weighs both.", RULES)
    ] = Policy.AUTO
    max_crop: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="Largest share of the source that may be lost.",
            rich_help_panel=RULES,
        ),
    ] = 1.0
    protect: Annotated[
        list[str] | None,
        option(
            "Never cut: left,top,right,bottom as fractions of the source; repeat for more.",
            RULES,
            metavar="BOX",
        ),
    ] = None
    protect_kind: Annotated[
        list[SubjectKind] | None,
        option("Never cut what is found of this kind; repeat for more.", RULES),
    ] = None
    protect_mask: Annotated[
        Path | None,
        option(
            "A picture of the source's ratio, white where nothing may be cut.",
            RULES,
            metavar="FILE",
        ),
    ] = None
    keep_clear: Annotated[
        list[str] | None,
        option(
            "No subject there: left,top,right,bottom as fractions of the output.",
            RULES,
            metavar="BOX",
        ),
    ] = None
    anchor: Annotated[
        Anchor | None,
        option(
            f"Where the source is held in the frame: {', '.join(Anchor)}.", RULES, metavar="PLACE"
        ),
    ] = None
    prefer: Annotated[Prefer | None, option("Where in the frame the subject should be.", RULES)] = (
        None
    )
    copy_space: Annotated[
        Edge | None, option("Leave this side to text: the subject goes opposite.", RULES)
    ] = None
    feather: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="PX",
            help="Width of the blended seam inside the source; 8 at 1K and in proportion.",
            rich_help_panel=RULES,
        ),
    ] = None
    strict: Annotated[
        bool, option("Refuse rather than give a rule up.", RULES, "--strict/--lenient")
    ] = False
