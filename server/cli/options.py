"""The options of run and plan, and what they mean."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from pipelines.codec.limits import Limits
from pipelines.errors import InvalidOption, InvalidPlan, SourceUnavailable
from pipelines.geometry import AspectRatio, Box, Size
from pipelines.plan import Plan
from pipelines.presets.preset import Preset
from pipelines.rules import Anchor, Policy, Prefer, Rules
from pipelines.safety import THRESHOLDS, Safety, SafetyAction
from pipelines.target import Expansion, Frame, Target, Tier, output_size
from server.settings import EngineName

TARGET = "What to fill"
RULES = "What to keep"
PAINT = "What to paint"
OUTPUT = "What to write"

Images = Annotated[
    list[str], typer.Argument(metavar="IMAGE...", help="Pictures, folders, or - for stdin.")
]
Aspects = Annotated[
    list[str] | None,
    typer.Option(
        "--aspect",
        "-a",
        metavar="RATIO",
        help="Ratios, like 16:9; repeat, or separate by commas.",
        rich_help_panel=TARGET,
    ),
]
Resolution = Annotated[
    Tier,
    typer.Option(
        case_sensitive=False,
        help="Long side of what --aspect gives: 1024, 2048 or 4096 px.",
        rich_help_panel=TARGET,
    ),
]
Sizes = Annotated[
    list[str] | None,
    typer.Option(
        "--size",
        "-s",
        metavar="WxH",
        help="Exact sizes, like 1080x1350; repeat, or separate by commas.",
        rich_help_panel=TARGET,
    ),
]
Percent = Annotated[
    float,
    typer.Option(
        min=0,
        max=400,
        metavar="PERCENT",
        help="Grow this side by percent of the source.",
        rich_help_panel=TARGET,
    ),
]
PolicyOption = Annotated[
    Policy,
    typer.Option(
        "--policy",
        help="expand never crops, crop never paints, auto weighs both.",
        rich_help_panel=RULES,
    ),
]
MaxCrop = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        metavar="SHARE",
        help="Largest share of the source that may be lost.",
        rich_help_panel=RULES,
    ),
]
Protect = Annotated[
    list[str] | None,
    typer.Option(
        metavar="BOX",
        help="Never cut: left,top,right,bottom as fractions of the source; repeat for more.",
        rich_help_panel=RULES,
    ),
]
KeepClear = Annotated[
    list[str] | None,
    typer.Option(
        metavar="BOX",
        help="No subject there: left,top,right,bottom as fractions of the output.",
        rich_help_panel=RULES,
    ),
]
AnchorOption = Annotated[
    Anchor | None,
    typer.Option(
        "--anchor",
        metavar="PLACE",
        help=f"Where the source is held in the frame: {', '.join(Anchor)}.",
        rich_help_panel=RULES,
    ),
]
PreferOption = Annotated[
    Prefer | None,
    typer.Option(
        "--prefer", help="Where in the frame the subject should be.", rich_help_panel=RULES
    ),
]
Feather = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="PX",
        help="Width of the blended seam inside the source; 8 at 1K and in proportion.",
        rich_help_panel=RULES,
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Refuse rather than give a rule up.", rich_help_panel=RULES),
]
EngineOption = Annotated[
    EngineName, typer.Option("--engine", help="Who describes and paints.", rich_help_panel=PAINT)
]
Weights = Annotated[
    Path,
    typer.Option(
        metavar="DIR", help="Where the weights of engine sdxl are.", rich_help_panel=PAINT
    ),
]
LockPath = Annotated[
    Path | None,
    typer.Option(
        "--lock",
        metavar="FILE",
        help="Another weights.lock than this installation's.",
        rich_help_panel=PAINT,
    ),
]
Nsfw = Annotated[
    SafetyAction,
    typer.Option(
        "--nsfw",
        help="What is done where source or output is not safe for work; the preview engine "
        "cannot tell, so it flags nothing and refuses to block.",
        rich_help_panel=OUTPUT,
    ),
]
Strictness = Annotated[
    int,
    typer.Option(
        min=min(THRESHOLDS),
        max=max(THRESHOLDS),
        metavar="1..6",
        help="How soon a picture counts as not safe for work.",
        rich_help_panel=OUTPUT,
    ),
]
MaxMegapixels = Annotated[
    float,
    typer.Option(
        min=0.001,
        max=10_000,
        metavar="MP",
        help="Refuse sources with more megapixels than this.",
    ),
]
JsonLines = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print a JSON record per output on stdout, one a line.",
        rich_help_panel=OUTPUT,
    ),
]

MOST_PLAN = 1_000_000
"""Characters; a plan has about two thousand."""

DEFAULT_MEGAPIXELS = Limits().max_pixels / 1e6
DEFAULT_STRICTNESS = Safety().strictness


class Growth(NamedTuple):
    """Percent to add on each side, 0 to 400."""

    left: float
    top: float
    right: float
    bottom: float


def read_targets(
    aspects: list[str] | None,
    tier: Tier,
    sizes: list[str] | None,
    growth: Growth,
    presets: Sequence[Preset] = (),
) -> list[Target]:
    """Everything that was asked for but ``presets``: ratios, sizes, the expansion, in this order.

    Raises:
        InvalidOption: nothing was asked for, no preset either, or a size is not one.
        UnreachableTarget: a size or ratio that cannot be made.
    """
    targets: list[Target] = [Frame(AspectRatio.parse(ratio), tier) for ratio in split(aspects)]
    targets += [Size.parse(size) for size in split(sizes)]
    for target in targets:
        # refuse before anything is made; what an expansion gives depends on the source
        output_size(target, Size(1, 1))
    if any(growth):
        targets.append(Expansion(*growth))
    if not targets and not presets:
        msg = "nothing to make: give --aspect, --size or --expand-left, -top, -right, -bottom"
        raise InvalidOption(msg)
    return targets


def split(values: list[str] | None) -> list[str]:
    """Several values may also be written with commas: 16:9,1:1."""
    return [part for value in values or () for part in value.split(",")]


def read_rules(  # noqa: PLR0913  one argument per rule
    *,
    policy: Policy,
    max_crop: float,
    protect: list[str] | None,
    keep_clear: list[str] | None,
    anchor: Anchor | None,
    prefer: Prefer | None,
    feather: int | None,
    strict: bool,
) -> Rules:
    """The rules as the planner wants them; raises InvalidOption."""
    return Rules(
        policy=policy,
        max_crop=max_crop,
        protect=tuple(Box.parse_fractions(box) for box in protect or ()),
        keep_clear=tuple(Box.parse_fractions(box) for box in keep_clear or ()),
        anchor=anchor,
        prefer=prefer,
        feather=feather,
        strict=strict,
    )


def read_limits(max_megapixels: float) -> Limits:
    """The limits that sources are held to."""
    return Limits(max_pixels=round(max_megapixels * 1e6))


def read_bytes(text: str | None) -> int | None:
    """Read ``150000``, ``150kB``, ``2MB`` (powers of 1000) or ``150KiB``; raises InvalidOption."""
    if text is None:
        return None
    units = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "kib": 1024, "mib": 1024**2}
    number = text.strip().rstrip("BbIiKkMm")
    unit = text.strip()[len(number) :].lower()
    try:
        value = round(float(number) * units[unit])
    except (ValueError, KeyError, OverflowError) as error:
        msg = f"a byte limit is written like 150000, 150kB or 2MB, not {text!r}"
        raise InvalidOption(msg) from error
    if value < 1:
        msg = "a byte limit is at least 1"
        raise InvalidOption(msg)
    return value


def read_plan(path: Path) -> Plan:
    """The plan in a file; raises SourceUnavailable or InvalidPlan."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_PLAN + 1)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read"
        raise SourceUnavailable(msg) from error
    if len(text) > MOST_PLAN:
        msg = f"{path} is too long for a plan"
        raise InvalidPlan(msg)
    return Plan.from_json(text)
