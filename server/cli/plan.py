"""``smart-resize plan``: what would be kept, cropped and painted, without painting."""

from typing import Annotated

import typer
from PIL import Image

from pipelines.codec.encode import encode
from pipelines.errors import InvalidOption, RequestError
from pipelines.geometry import Size
from pipelines.overlay import draw_overlay
from pipelines.plan import Plan
from pipelines.reframe import Reframer
from pipelines.request import ReframeRequest
from pipelines.rules import Policy
from pipelines.target import Tier
from pipelines.weights.store import DEFAULT_FOLDER
from server.cli import options
from server.cli.files import STREAM, Input, Outputs, find_inputs, format_of
from server.cli.report import Report
from server.engines import Supplies, load_engine
from server.settings import EngineName


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
    engine: options.EngineOption = EngineName.PREVIEW,
    weights: options.Weights = DEFAULT_FOLDER,
    lock_path: options.LockPath = None,
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
    if overlay == STREAM:
        msg = "an overlay goes to a file or folder; stdout is for the plan"
        raise InvalidOption(msg)
    reframer = Reframer(
        load_engine(engine, Supplies(weights, lock_path)), options.read_limits(max_megapixels)
    )
    inputs = find_inputs(images, overlay)
    drawings = _Drawings(overlay, inputs, len(targets)) if overlay else None
    requests = [ReframeRequest(target=target, rules=rules) for target in targets]
    report = Report(json_lines=json_lines, words_are_the_result=True)
    for item in inputs:
        try:
            _plan_all(item, reframer, requests, drawings, report)
        except InvalidOption:
            raise  # wrong for every source
        except RequestError as error:
            report.fail(item.name, error)
    if report.failures:
        raise typer.Exit(1)


class _Drawings:
    """Where the drawn plans go, and in which format."""

    def __init__(self, overlay: str, inputs: list[Input], count: int) -> None:
        self._outputs = Outputs(overlay, inputs=inputs, count=count)
        self._format = format_of(overlay, None)

    def write(self, item: Input, size: Size, drawing: Image.Image) -> None:
        path = self._outputs.path(item, size, self._format.extension)
        self._outputs.write(path, encode(drawing, self._format).data)


def _plan_all(
    item: Input,
    reframer: Reframer,
    requests: list[ReframeRequest],
    drawings: _Drawings | None,
    report: Report,
) -> None:
    described = reframer.describe(item.read(reframer.limits.max_bytes))
    for request in requests:
        made = reframer.plan(described, request)
        if drawings:
            picture = described.source.picture
            drawing = draw_overlay(picture, made, described.composition, request.rules)
            drawings.write(item, made.target, drawing)
        report.tell(_in_words(item.name, made), {"input": item.name, **made.to_json()})


def _in_words(name: str, made: Plan) -> str:
    lines = [f"{name} -> {made.target}"]
    lines += [f"  {reason}" for reason in made.reasons]
    lines += [f"  warning: {warning}" for warning in made.warnings]
    return "\n".join(lines)
