"""``smart-resize plan``: what would be kept, cropped and painted, without painting."""

from collections.abc import Sequence
from typing import Annotated

import typer
from PIL import Image

from pipelines.codec.encode import Format, encode
from pipelines.errors import InvalidOption, RequestError
from pipelines.geometry import Size
from pipelines.overlay import draw_overlay
from pipelines.plan import Plan
from pipelines.presets.preset_file import read_presets
from pipelines.reframe import Reframer
from server.batch.source import STREAM, Input, find_inputs
from server.batch.wish import Fitter, Wish
from server.cli import options
from server.cli.files import Outputs, format_of
from server.cli.groups import grouped
from server.cli.options import RuleOptions, TargetOptions
from server.cli.output_options import EngineOptions, FileOptions, PaintOptions
from server.cli.report import Report
from server.cli.wishes import read_base, read_limits, read_wishes
from server.engines import load_engine
from server.settings import read_settings


@grouped
def plan(  # noqa: PLR0913  a command's options are its arguments
    images: options.Images,
    *,
    targets: TargetOptions,
    preset_file: options.OwnPresets = None,
    rules: RuleOptions,
    engine: EngineOptions,
    overlay: Annotated[
        str | None,
        typer.Option(
            metavar="OUT",
            help="Draw the plan: a PNG, or a folder for several.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    json_lines: options.JsonLines = False,
) -> None:
    """Say what would be kept, cropped and painted; nothing is painted."""
    base = read_base(rules, PaintOptions(), FileOptions(), Format.PNG)
    wishes = read_wishes(targets, rules, base, read_presets(preset_file), None)
    if overlay == STREAM:
        msg = "an overlay goes to a file or folder; stdout is for the plan"
        raise InvalidOption(msg)
    supplies = engine.supplies(read_settings())
    reframer = Reframer(load_engine(engine.engine, supplies), read_limits(engine.max_megapixels))
    inputs = find_inputs(images, overlay)
    drawings = _Drawings(overlay, inputs, len(wishes)) if overlay else None
    report = Report(json_lines=json_lines, words_are_the_result=True)
    for item in inputs:
        try:
            _plan_all(item, reframer, wishes, drawings, report)
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
    wishes: Sequence[Wish],
    drawings: _Drawings | None,
    report: Report,
) -> None:
    data = item.read(reframer.limits.max_bytes)
    described = reframer.describe(data)
    try:
        requests = list(map(Fitter(data, reframer.limits).fit, wishes))
    except RequestError as error:  # a mask that suits others
        report.fail(item.name, error)
        return
    for request in requests:
        made = reframer.plan(described, request)
        if drawings:
            picture = described.source.picture
            drawing = draw_overlay(picture, made, described.composition, request.rules)
            drawings.write(item, made.target, drawing)
        report.tell(_in_words(item.name, made), {"input": item.name, **made.to_json()})
        for warning in described.composition.warnings:
            report.warn(item.name, warning)


def _in_words(name: str, made: Plan) -> str:
    lines = [f"{name} -> {made.target}"]
    lines += [f"  {reason}" for reason in made.reasons]
    lines += [f"  warning: {warning}" for warning in made.warnings]
    return "\n".join(lines)
