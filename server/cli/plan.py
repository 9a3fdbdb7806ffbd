"""``smart-resize plan``: what would be kept, cropped and painted, without painting."""

import io
import json
from typing import Annotated

import typer

from pipelines.overlay import draw_overlay
from pipelines.plan import Plan
from pipelines.reframe import Reframer, ReframeRequest
from pipelines.rules import Policy
from pipelines.target import Tier
from server.cli import options
from server.cli.engines import EngineName, load_engine
from server.cli.files import Outputs, find_inputs


def plan(  # noqa: PLR0913  a command's options are its arguments
    images: options.Images,
    *,
    aspect: options.Aspects = None,
    resolution: options.Resolution = Tier.ONE_K,
    size: options.Sizes = None,
    expand_left: options.Percent = 0,
    expand_top: options.Percent = 0,
    expand_right: options.Percent = 0,
    expand_bottom: options.Percent = 0,
    policy: options.PolicyOption = Policy.AUTO,
    max_crop: options.MaxCrop = 1.0,
    protect: options.Protect = None,
    keep_clear: options.KeepClear = None,
    anchor: options.AnchorOption = None,
    prefer: options.PreferOption = None,
    feather: options.Feather = None,
    strict: options.Strict = False,
    engine: Annotated[EngineName, typer.Option(help="Whose eyes and prices to plan with.")] = (
        EngineName.PREVIEW
    ),
    overlay: Annotated[
        str | None,
        typer.Option(
            metavar="OUT",
            help="Draw the plan: a PNG, or a folder for several.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    max_megapixels: options.MaxMegapixels = options.DEFAULT_MEGAPIXELS,
    json_lines: options.JsonLines = False,
) -> None:
    """Say what would be kept, cropped and painted; nothing is painted."""
    rules = options.read_rules(
        policy=policy,
        max_crop=max_crop,
        protect=protect,
        keep_clear=keep_clear,
        anchor=anchor,
        prefer=prefer,
        feather=feather,
        strict=strict,
    )
    growth = options.Growth(expand_left, expand_top, expand_right, expand_bottom)
    targets = options.read_targets(aspect, resolution, size, growth)
    reframer = Reframer(load_engine(engine), options.read_limits(max_megapixels))
    inputs = find_inputs(images)
    drawings = Outputs(overlay, inputs=inputs, count=len(targets)) if overlay else None
    for item in inputs:
        described = reframer.describe(item.read())
        for target in targets:
            made = reframer.plan(described, ReframeRequest(target=target, rules=rules))
            if drawings:
                picture = draw_overlay(described.source.picture, made, described.composition, rules)
                drawn = io.BytesIO()
                picture.save(drawn, "PNG")
                drawings.write(drawings.path(item, made.target, ".png"), drawn.getvalue())
            typer.echo(json.dumps(made.to_json()) if json_lines else _in_words(item.name, made))


def _in_words(name: str, made: Plan) -> str:
    lines = [f"{name} -> {made.target}"]
    lines += [f"  {reason}" for reason in made.reasons]
    lines += [f"  warning: {warning}" for warning in made.warnings]
    return "\n".join(lines)
