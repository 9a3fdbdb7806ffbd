"""``smart-resize run``: pictures in, pictures out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.codec.encode import Format
from pipelines.engine import Mode
from pipelines.errors import InvalidOption, RequestError
from pipelines.export.wishes import Export
from pipelines.fill import Fill
from pipelines.geometry import Size
from pipelines.progress import Step
from pipelines.reframe import Reframer
from pipelines.reframed import Reframed
from pipelines.request import ReframeRequest
from pipelines.rules import Policy, Rules
from pipelines.safety import Safety, SafetyAction
from pipelines.target import Target, Tier
from pipelines.weights.store import DEFAULT_FOLDER
from server.cli import options, presets
from server.cli.files import STREAM, Input, Outputs, find_inputs, format_of
from server.cli.report import Report
from server.contact_sheet import ContactSheet
from server.engines import Supplies, load_engine
from server.settings import EngineName


def run(  # noqa: PLR0913  a command's options are its arguments
    images: options.Images,
    output: Annotated[str, typer.Option("--output", "-o", help="File, folder, or - for stdout.")],
    *,
    aspect: options.Aspects = None,
    resolution: options.Resolution = Tier.ONE_K,
    size: options.Sizes = None,
    preset: presets.Names = None,
    preset_file: presets.OwnFile = None,
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
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="Carry out this plan (JSON, see the plan command) as it is.",
            rich_help_panel=options.TARGET,
        ),
    ] = None,
    fill: Annotated[
        Fill,
        typer.Option(
            help="What fills the new area; auto is solid on flat backgrounds.",
            rich_help_panel=options.PAINT,
        ),
    ] = Fill.AUTO,
    prompt: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="What the new area should show; the preview engine cannot read it.",
            rich_help_panel=options.PAINT,
        ),
    ] = "",
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="NUMBER",
            help="The same seed gives the same picture.",
            rich_help_panel=options.PAINT,
        ),
    ] = 0,
    engine: options.EngineOption = EngineName.PREVIEW,
    mode: Annotated[
        Mode,
        typer.Option(
            help="How hard engine sdxl tries; the preview engine has one mode.",
            rich_help_panel=options.PAINT,
        ),
    ] = Mode.BALANCED,
    weights: options.Weights = DEFAULT_FOLDER,
    lock_path: options.LockPath = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            parser=Format.parse,
            metavar="png|jpeg|webp|avif",
            help="As the output's name says, else PNG.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    quality: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            metavar="1..100",
            help="Of JPEG, WebP and AVIF.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    max_bytes: Annotated[
        str | None,
        typer.Option(
            metavar="BYTES",
            help="Largest file, like 150kB; quality is lowered to fit.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    contact_sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write this HTML page of all outputs, and a PNG beside it.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    nsfw: options.Nsfw = SafetyAction.FLAG,
    strictness: options.Strictness = options.DEFAULT_STRICTNESS,
    max_megapixels: options.MaxMegapixels = options.DEFAULT_MEGAPIXELS,
    json_lines: options.JsonLines = False,
) -> None:
    """Reframe pictures to one or several sizes."""
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
    given = options.read_plan(plan) if plan else None
    if given and (aspect or size or preset or any(growth) or rules != Rules()):
        msg = "a plan leaves nothing to decide: drop the options for targets and rules"
        raise InvalidOption(msg)
    named = presets.read_names(preset, preset_file)
    targets: list[Target] = (
        [given.target]
        if given
        else options.read_targets(aspect, resolution, size, growth, presets=named)
    )
    if output == STREAM and json_lines:
        msg = "stdout takes either the picture or --json, not both"
        raise InvalidOption(msg)
    base = ReframeRequest(
        target=Size(1, 1),
        rules=rules,
        plan=given,
        fill=fill,
        prompt=prompt,
        seed=seed,
        mode=mode,
        export=Export(format_of(output, form), quality, options.read_bytes(max_bytes)),
        safety=Safety(nsfw, strictness),
    )
    said = _said_format(output, form)
    wishes = [_Wish(replace(base, target=target)) for target in targets]
    wishes += [_Wish(each.request(base, said), each.id) for each in named]
    inputs = find_inputs(images, output)
    outputs = Outputs(output, inputs=inputs, count=len(wishes))
    job = _Job(
        Reframer(
            load_engine(engine, Supplies(weights, lock_path)),
            options.read_limits(max_megapixels),
        ),
        outputs,
        _Sheet(outputs, contact_sheet) if contact_sheet else None,
        Report(json_lines=json_lines),
    )
    if not job.reframe_all(inputs, wishes):
        raise typer.Exit(1)


class _Wish(NamedTuple):
    """One output of each picture, and the preset that it is for."""

    request: ReframeRequest
    preset: str | None = None


def _said_format(output: str, form: Format | None) -> Format | None:
    """The format that was asked for, by option or by the output's name; None where by neither."""
    meant = format_of(output, form)
    named = Path(output).suffix.lower() == ".png" and not Path(output).is_dir()
    return meant if form or named or meant is not Format.PNG else None


class _Sheet:
    """A contact sheet whose two names no output takes."""

    def __init__(self, outputs: Outputs, page: Path) -> None:
        self.content = ContactSheet()
        self._page, self._picture = page, page.with_suffix(".png")
        for path in (self._page, self._picture):
            outputs.reserve(path)

    def write(self) -> None:
        Outputs.write(self._page, self.content.to_html())
        Outputs.write(self._picture, self.content.to_png())


class _Job:
    """One call of the command: many inputs, a bar, a line per output or error."""

    def __init__(
        self, reframer: Reframer, outputs: Outputs, sheet: _Sheet | None, report: Report
    ) -> None:
        self._reframer, self._outputs = reframer, outputs
        self._sheet, self._report = sheet, report

    def reframe_all(self, inputs: list[Input], wishes: list[_Wish]) -> bool:
        """Reframe every input; one that fails does not stop the others. False if any did."""
        with self._bar(len(inputs) * len(wishes)) as bar:
            for item in inputs:
                try:
                    self._reframe(item, wishes, bar)
                except InvalidOption:
                    raise  # wrong for every source
                except RequestError as error:
                    self._report.fail(item.name, error)
        if self._sheet:
            self._sheet.write()
        return not self._report.failures

    def _reframe(self, item: Input, wishes: list[_Wish], bar: Progress) -> None:
        task = bar.task_ids[0]

        def hear(step: str, fraction: float) -> None:  # noqa: ARG001  the protocol's names
            bar.update(task, description=f"{item.relative}: {Step(step).value}")

        data = item.read(self._reframer.limits.max_bytes)
        made = self._reframer(data, [wish.request for wish in wishes], hear)
        for wish, reframed in zip(wishes, made, strict=True):
            self._deliver(item, reframed, wish.preset)
            bar.advance(task)

    def _deliver(self, item: Input, reframed: Reframed, preset: str | None) -> None:
        file, size = reframed.file, reframed.plan.target
        path = self._outputs.path(item, size, file.format.extension)
        self._outputs.write(path, file.data)
        for warning in (*reframed.plan.warnings, *reframed.nsfw.warnings):
            self._report.warn(item.name, warning)
        if path is None:
            return
        if self._sheet:
            self._sheet.content.add(item.relative.name, path, reframed)
        record = {"input": item.name, "file": str(path), **reframed.to_json()}
        name = f"{preset}, " if preset else ""
        self._report.tell(
            f"{path}  {name}{_in_words(reframed)}",
            {**record, "preset": preset} if preset else record,
        )

    @contextmanager
    def _bar(self, total: int) -> Iterator[Progress]:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        console = self._report.console
        quiet = not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
            bar.add_task("", total=total)
            yield bar


def _in_words(reframed: Reframed) -> str:
    plan = reframed.plan
    painted = f"{plan.painted_fraction:.0%} painted ({reframed.fill})"
    words = [
        str(plan.target),
        painted if reframed.fill else "nothing painted",
        f"{plan.lost_fraction:.0%} cropped",
        *reframed.file.notes,
    ]
    return ", ".join(words)
