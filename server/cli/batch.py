"""``smart-resize batch``: many pictures to many outputs, once each."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated

import typer

from pipelines.errors import InvalidOption
from pipelines.presets.preset_file import read_presets
from pipelines.reframe import Reframer
from server.batch.batch import Batch
from server.batch.client import Client
from server.batch.item import BatchItem, PlacedItem, owner_of, place
from server.batch.ledger import Entry, Ledger
from server.batch.local_maker import LocalMaker
from server.batch.maker import Maker
from server.batch.naming import Names
from server.batch.remote_maker import RemoteMaker
from server.batch.report import write_report
from server.batch.source import Input, find_inputs
from server.batch.watch import Watch
from server.batch.wish import Wish
from server.cli import options
from server.cli.batch_report import BatchReport
from server.cli.estimate import estimate
from server.cli.groups import grouped
from server.cli.items_file import Options, read_items
from server.cli.options import RuleOptions, TargetOptions
from server.cli.output_options import EngineOptions, FileOptions, PaintOptions
from server.cli.wishes import read_limits
from server.engines import load_engine
from server.settings import read_settings
from server.signer import load_signer

AGAIN = "run the same command again to go on"

BATCH = "How it is done"


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How it is done."""

    csv: Annotated[
        Path | None,
        options.option(
            "A row for each picture, a column for each option; input is the picture, in IN or else "
            "beside this file, output its path in OUT.",
            BATCH,
            metavar="FILE",
        ),
    ] = None
    watch: Annotated[
        bool, options.option("Go on, and take pictures as they come, until told to stop.", BATCH)
    ] = False
    resume: Annotated[
        bool,
        options.option("Go on where an earlier call ended; it is always so.", BATCH, "--resume"),
    ] = False
    fresh: Annotated[bool, options.option("Make everything again, whatever is there.", BATCH)] = (
        False
    )
    at_once: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Pictures worked on at a time; else as many as keep the engine busy.",
            rich_help_panel=BATCH,
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """A server that does the work."""

    server: Annotated[
        str | None,
        options.option("Let this server do the work, by its run API.", BATCH, metavar="URL"),
    ] = None
    key_file: Annotated[
        Path | None,
        options.option(
            "Holds the server's API key; else SMART_RESIZE_API_KEY does.", BATCH, metavar="FILE"
        ),
    ] = None
    api_key: Annotated[str | None, typer.Option(envvar="SMART_RESIZE_API_KEY", hidden=True)] = None


@grouped
def batch(  # noqa: PLR0913  a command's options are its arguments
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="[IN] OUT",
            help="A folder of pictures, and the folder that gets the same tree of outputs.",
        ),
    ],
    *,
    how: BatchOptions,
    server: ServerOptions,
    targets: TargetOptions,
    preset_file: options.OwnPresets = None,
    series: options.Series = False,
    rules: RuleOptions,
    paint: PaintOptions,
    engine: EngineOptions,
    file: FileOptions,
    json_lines: options.JsonLines = False,
) -> None:
    """Reframe a folder or a table of pictures; what is done is not done again.

    Ended in whatever way, the same command goes on where it was. OUT/report.csv and
    OUT/report.html say what was made.
    """
    source, out = _read_places(places, how, series=series, server=server.server)
    said = Options(targets, rules, paint, file)
    catalogue = read_presets(preset_file)
    wishes = () if how.csv else tuple(said.read(catalogue))
    if how.csv:
        items = read_items(how.csv, source or how.csv.parent, said, catalogue)
    else:
        found = () if how.watch else find_inputs([str(source)], str(out))
        items = [_item(source, wishes) for source in found]
    report = BatchReport(json_lines=json_lines)
    with closing(Ledger(out, fresh=how.fresh)) as ledger, stopping(report) as stop:
        maker = _Makers(engine, server, ledger, stop).make()
        limits = read_limits(engine.max_megapixels)
        work = _Work(Batch(maker, ledger, limits, report, stop), ledger)
        at_once = how.at_once or maker.at_once
        if series:
            items = _plan_series(items, maker)
        with report.bar():
            if how.watch:
                assert source
                make = partial(_item, wishes=wishes)
                work.watch(Watch(source, out, stop), make, report, at_once)
            else:
                work.carry_out(items, report, at_once)
        _end(work, report, out, stop, watched=how.watch)


def _end(work: "_Work", report: BatchReport, out: Path, stop: Event, *, watched: bool) -> None:
    summary = report.summarise()
    entries = work.write_report(summary)
    report.say(f"{summary}; see {out / 'report.html'}")
    if stop.is_set() and not watched:
        report.say(f"stopped before the end: {AGAIN}")
        raise typer.Exit(130)
    if any(entry.error for entry in entries):
        raise typer.Exit(1)


class _Work:
    """A batch and all items that it was given."""

    def __init__(self, batch: Batch, ledger: Ledger) -> None:
        self.batch = batch
        self._ledger = ledger
        entries = ledger.entries.values()
        self._names = Names({Path(e.output): owner_of(e.input, e.slot) for e in entries})
        self._items: dict[str, list[PlacedItem]] = {}

    def carry_out(self, items: Sequence[BatchItem], report: BatchReport, at_once: int) -> None:
        placed = place(items, self._names, self._ledger.folder)
        for item in placed:
            self._items.setdefault(item.origin, []).append(item)
        report.say(estimate(placed, self._ledger.folder))
        report.begin_more(sum(len(item.pieces) for item in placed))
        self.batch.carry_out(placed, at_once)

    def watch(
        self, watch: Watch, make: Callable[[Input], BatchItem], report: BatchReport, at_once: int
    ) -> None:
        report.say("watching; Ctrl-C or SIGTERM ends it")
        for found in watch.rounds():
            items = [make(source) for source in found]
            for item in items:
                self._items.pop(item.origin, None)
            self.carry_out(items, report, at_once)
            self.write_report(report.summarise())

    def write_report(self, summary: str) -> list[Entry]:
        """Of all outputs that were asked for, as far as they have come; returns them."""
        known = self._ledger.entries
        pieces = (
            piece for items in self._items.values() for item in items for piece in item.pieces
        )
        found = [known.get(piece.output.as_posix()) for piece in pieces]
        entries = [entry for entry in found if entry]
        write_report(self._ledger.folder, entries, summary)
        return entries


@dataclass(frozen=True, slots=True)
class _Makers:
    """What it takes to have a maker."""

    engine: EngineOptions
    server: ServerOptions
    ledger: Ledger
    stop: Event

    def make(self) -> Maker:
        limits = read_limits(self.engine.max_megapixels)
        if self.server.server:
            client = Client(self.server.server.rstrip("/"), _read_key(self.server), self.stop)
            return RemoteMaker(client, self.ledger.id, limits)
        settings = read_settings()
        supplies = replace(self.engine.supplies(settings), graphs=settings.graphs)
        loaded, signer = load_engine(self.engine.engine, supplies), load_signer(settings)
        return LocalMaker(Reframer(loaded, limits, signer))


def _read_key(server: ServerOptions) -> str | None:
    if server.key_file is None:
        return server.api_key
    try:
        return server.key_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{server.key_file} cannot be read"
        raise InvalidOption(msg) from error


def _read_places(
    places: Sequence[str], how: BatchOptions, *, series: bool, server: str | None
) -> tuple[Path | None, Path]:
    """Where pictures come from, unless a table says so, and where outputs go."""
    most, least = 2, 1 if how.csv else 2
    if not least <= len(places) <= most or not all(places):
        msg = "a batch has a folder of pictures and one for the outputs, or --csv and the latter"
        raise InvalidOption(msg)
    *given, out = map(Path, places)
    source = given[0] if given else None
    if series and (how.csv or how.watch or server):
        msg = "--series is not available with --csv, --watch or --server: it plans a folder here"
        raise InvalidOption(msg)
    if how.csv and how.watch:
        msg = "--watch is for folders, not for --csv"
        raise InvalidOption(msg)
    if how.fresh and how.resume:
        msg = "either --resume or --fresh"
        raise InvalidOption(msg)
    if source and not how.csv and source.resolve() == out.resolve():
        msg = "outputs go into another folder than that of the pictures"
        raise InvalidOption(msg)
    if how.watch and source and not source.is_dir():
        msg = f"{source} is no folder to watch"
        raise InvalidOption(msg)
    return source, out


def _item(source: Input, wishes: tuple[Wish, ...]) -> BatchItem:
    return BatchItem(source, source.relative.as_posix(), wishes)


def _plan_series(items: Sequence[BatchItem], maker: Maker) -> list[BatchItem]:
    """All as the first one is planned."""
    assert isinstance(maker, LocalMaker)
    first = items[0]
    planned = maker.plan_series(first.source.read(maker.limits.max_bytes), first.wishes)
    return [replace(item, wishes=tuple(planned)) for item in items]


@contextmanager
def stopping(report: BatchReport) -> Iterator[Event]:
    """Set when told to stop; who tells it twice does not want to wait."""
    stop = Event()

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  as signals have it
        if stop.is_set():
            os._exit(130)  # whatever is finished is noted
        stop.set()
        report.say("stopping after the current picture; once more to stop at once")

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
