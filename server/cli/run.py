"""``smart-resize run``: pictures in, pictures out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.codec.encode import Format
from pipelines.errors import InvalidOption, RequestError
from pipelines.presets.preset_file import read_presets
from pipelines.progress import Step
from pipelines.reframe import Reframer
from pipelines.reframed import Reframed
from server.batch.local_maker import LocalMaker
from server.batch.naming import name_beside
from server.batch.source import STREAM, Input, find_inputs
from server.batch.wish import Fitter, Wish
from server.cli import options
from server.cli.files import Outputs, format_of
from server.cli.groups import grouped
from server.cli.options import RuleOptions, TargetOptions
from server.cli.output_options import EngineOptions, FileOptions, PaintOptions
from server.cli.report import Report
from server.cli.wishes import read_base, read_limits, read_plan, read_wishes
from server.contact_sheet import ContactSheet
from server.engines import load_engine
from server.settings import read_settings
from server.signer import load_signer


@grouped
def run(  # noqa: PLR0913  a command's options are its arguments
    images: options.Images,
    output: Annotated[str, typer.Option("--output", "-o", help="File, folder, or - for stdout.")],
    *,
    targets: TargetOptions,
    preset_file: options.OwnPresets = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            help="Carry out this plan (JSON, see the plan command) as it is.",
            rich_help_panel=options.TARGET,
        ),
    ] = None,
    series: options.Series = False,
    rules: RuleOptions,
    paint: PaintOptions,
    engine: EngineOptions,
    file: FileOptions,
    contact_sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write this HTML page of all outputs, and a PNG beside it.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    json_lines: options.JsonLines = False,
) -> None:
    """Reframe pictures to one or several sizes."""
    given = read_plan(plan) if plan else None
    if given and (series or targets != TargetOptions() or rules != RuleOptions()):
        msg = "a plan leaves nothing to decide: drop the options for targets and rules"
        raise InvalidOption(msg)
    if output == STREAM and (json_lines or file.extra):
        msg = "stdout takes either the picture, or --json or --extra, not both"
        raise InvalidOption(msg)
    base = read_base(rules, paint, file, format_of(output, file.format))
    if given:
        wishes = [Wish(replace(base, target=given.target, plan=given))]
    else:
        said = _said_format(output, file.format)
        wishes = read_wishes(targets, rules, base, read_presets(preset_file), said)
    inputs = find_inputs(images, output)
    outputs = Outputs(output, inputs=inputs, count=len(wishes))
    settings = read_settings()
    supplies = engine.supplies(settings)
    work = _Call(
        Reframer(
            load_engine(engine.engine, supplies),
            read_limits(engine.max_megapixels),
            load_signer(settings),
        ),
        outputs,
        _Sheet(outputs, contact_sheet) if contact_sheet else None,
        Report(json_lines=json_lines),
    )
    if not work.reframe_all(inputs, wishes, series=series):
        raise typer.Exit(1)


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


class _Call:
    """One call of the command: many inputs, a bar, a line per output or error."""

    def __init__(
        self, reframer: Reframer, outputs: Outputs, sheet: _Sheet | None, report: Report
    ) -> None:
        self._reframer, self._outputs = reframer, outputs
        self._sheet, self._report = sheet, report

    def reframe_all(self, inputs: list[Input], wishes: Sequence[Wish], *, series: bool) -> bool:
        """Reframe every input; one that fails does not stop the others. False if any did.

        A ``series`` is planned for its first picture.
        """
        if series:
            wishes = self._plan_series(inputs[0], wishes)
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

    def _plan_series(self, first: Input, wishes: Sequence[Wish]) -> list[Wish]:
        if first.path is None:
            msg = "a series is of files: stdin is read only once"
            raise InvalidOption(msg)
        data = first.read(self._reframer.limits.max_bytes)
        return LocalMaker(self._reframer).plan_series(data, wishes)

    def _reframe(self, item: Input, wishes: Sequence[Wish], bar: Progress) -> None:
        task = bar.task_ids[0]

        def hear(step: str, fraction: float) -> None:  # noqa: ARG001  the protocol's names
            bar.update(task, description=f"{item.relative}: {Step(step).value}")

        limits = self._reframer.limits
        data = item.read(limits.max_bytes)
        try:
            requests = list(map(Fitter(data, limits).fit, wishes))
        except RequestError as error:  # a mask or a series' plan that suits others
            self._report.fail(item.name, error)
            return
        for wish, reframed in zip(wishes, self._reframer(data, requests, hear), strict=True):
            self._deliver(item, reframed, wish.preset.id if wish.preset else None)
            bar.advance(task)

    def _deliver(self, item: Input, reframed: Reframed, preset: str | None) -> None:
        file, size = reframed.file, reframed.plan.target
        path = self._outputs.path(item, size, file.format.extension, reframed.extras)
        self._outputs.write(path, file.data)
        for warning in (*reframed.warnings, *reframed.review):
            self._report.warn(item.name, warning)
        if path is None:
            return
        for extra in reframed.extras:
            self._outputs.write(name_beside(path, extra.kind, extra.extension), extra.data)
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
