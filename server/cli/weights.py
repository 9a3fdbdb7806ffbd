"""``smart-resize weights``: which models there are, and getting them here, checked."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from pipelines.errors import InvalidOption
from pipelines.weights.bundle import export_bundle, import_bundle, read_contents
from pipelines.weights.digest import Meter
from pipelines.weights.fetch import fetch, list_wanted
from pipelines.weights.hub import Hub
from pipelines.weights.licences import accept, licence_of, read_acceptances, require_acceptance
from pipelines.weights.lock import LockedModel, WeightsLock
from pipelines.weights.lock_file import find_lock, read_lock, write_lock
from pipelines.weights.pinning import Wish, pin
from pipelines.weights.store import DEFAULT_FOLDER, Store, find_strangers
from pipelines.weights.verify import Depth, Report, verify
from server.cli.report import open_stderr

app = typer.Typer(
    help="Models by role: list, lock, fetch, verify, carry.",
    no_args_is_help=True,
    add_completion=False,
)
bundle = typer.Typer(help="One file to carry into an air gap.", no_args_is_help=True)
app.add_typer(bundle, name="bundle")

Roles = Annotated[
    list[str] | None,
    typer.Argument(metavar="ROLE...", help="Only these, like inpaint or vlm."),
]
Folder = Annotated[
    Path, typer.Option("--weights", metavar="DIR", help="The folder that holds the weights.")
]
LockPath = Annotated[
    Path | None,
    typer.Option("--lock", metavar="FILE", help="Another lock than this installation's."),
]
Endpoint = Annotated[
    str | None, typer.Option(metavar="URL", help="A mirror to ask instead of the public hub.")
]
Accepted = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-licence",
        metavar="ID",
        help="Accept this licence, like openrail++, for this folder; repeat for more.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_models(
    *, weights: Folder = DEFAULT_FOLDER, lock_path: LockPath = None, as_json: Json = False
) -> None:
    """Show every model: role, licence, size, and whether it is here."""
    lock, store = _open(lock_path, weights)
    reports = [verify(model, store, Depth.NOTHING) for model in lock.models]
    if as_json:
        _print_json(reports, store)
        return
    accepted = read_acceptances(store)
    rows = [("role", "model", "licence", "size", "state")]
    for report in reports:
        model = report.model
        state = report.summary + " (optional)" * model.optional
        licence = model.licence
        if not licence_of(model).is_free_of_conditions:
            licence += " (accepted)" if licence in accepted else " (to be accepted)"
        rows.append((model.role, model.repository, licence, _format_bytes(model.size), state))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
    for path in find_strangers(store, lock.models):
        _say(f"not in the lock, free to be deleted: {path}")


@app.command("verify")
def verify_models(
    roles: Roles = None,
    *,
    weights: Folder = DEFAULT_FOLDER,
    lock_path: LockPath = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read everything again, also what was verified before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare what is here with the lock, without network; exit code 3 if it is not the same.

    Without roles: what is not optional, and what is optional but here.
    """
    lock, store = _open(lock_path, weights)
    models = [
        model
        for model in (lock.select(roles) if roles else lock.models)
        if roles or not model.optional or store.folder_of(model).exists()
    ]
    with _bar("verify", sum(model.size for model in models)) as meter:
        depth = Depth.ALL if deep else Depth.NEW
        reports = [verify(model, store, depth, meter) for model in models]
    if as_json:
        _print_json(reports, store)
    else:
        for report in reports:
            _print_report(report)
    if not all(report.is_good for report in reports):
        raise typer.Exit(3)


@app.command("fetch")
def fetch_models(
    roles: Roles = None,
    *,
    weights: Folder = DEFAULT_FOLDER,
    lock_path: LockPath = None,
    endpoint: Endpoint = None,
    accept_licence: Accepted = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is missing.")] = False,
) -> None:
    """Fetch what is missing from the hub, at the locked revisions, and verify it.

    Without roles: all that are not optional.
    """
    lock, store = _open(lock_path, weights)
    models = lock.select(roles or ())
    if not dry_run:
        _accept(accept_licence, models, store)
        require_acceptance(models, store)
    wanted = list_wanted(models, store)
    needed = sum(file.size for _, file in wanted)
    if dry_run:
        for model, file in wanted:
            typer.echo(f"{model.role}: {file.path}, {_format_bytes(file.size)}")
    elif wanted:
        with _bar("fetch", needed) as meter:
            fetch(models, store, Hub(endpoint), meter)
    verb = "to fetch into" if dry_run else "fetched and verified in"
    what = f"{_count(wanted, 'file')}, {_format_bytes(needed)} {verb}"
    _say(f"{what if wanted else 'nothing is missing in'} {store.folder}")


@app.command("lock")
def lock_models(
    roles: Roles = None,
    *,
    lock_path: LockPath = None,
    endpoint: Endpoint = None,
    revision: Annotated[
        str | None,
        typer.Option(metavar="REV", help="Move to this branch, tag or commit, like main."),
    ] = None,
    repository: Annotated[
        str | None,
        typer.Option(metavar="ORG/NAME", help="Lock this repository for the one role given."),
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Files to lock; else those locked already, or all."),
    ] = None,
) -> None:
    """Ask the hub for sizes and sha256, and write them into the lock; without roles, of all.

    What the lock knows is completed and never changed, unless another revision is asked for.
    """
    path = lock_path or find_lock()
    lock = read_lock(path)
    if repository and roles and len(roles) == 1:
        old = lock.find(roles[0])
        wishes = [Wish(roles[0], repository, "main", optional=old is not None and old.optional)]
    elif repository:
        raise InvalidOption("--repository needs exactly one role")
    else:
        wishes = [Wish.of(model) for model in (lock.select(roles) if roles else lock.models)]
    hub = Hub(endpoint)
    for given in wishes:
        wish = replace(given, revision=revision or given.revision)
        wish = replace(wish, include=tuple(include or wish.include))
        known = lock.find(wish.role)
        with _bar(f"lock {wish.role}", None) as meter:
            model = pin(wish, hub, known, meter)
        lock = lock.put(model)
        change = "as before" if model == known else "changed"
        _say(f"{model.role}: {model.repository} at {model.revision[:12]}, {change}")
    write_lock(lock, path)


@bundle.command("export")
def export_models(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle to write, a tar.")],
    roles: Roles = None,
    *,
    weights: Folder = DEFAULT_FOLDER,
    lock_path: LockPath = None,
) -> None:
    """Write models, their lock and their licences to one file.

    Without roles: all that are not optional.
    """
    lock, store = _open(lock_path, weights)
    models = lock.select(roles or ())
    size = sum(model.size for model in models)
    with _bar("export", size) as meter:
        export_bundle(models, store, file, meter)
    _say(f"{_count(models, 'model')}, {_format_bytes(size)} in {file}")


@bundle.command("import")
def import_models(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A bundle that was exported.")],
    *,
    weights: Folder = DEFAULT_FOLDER,
    lock_path: LockPath = None,
    accept_licence: Accepted = None,
) -> None:
    """Bring in a bundle without any network; every byte is compared with the lock first."""
    lock, store = _open(lock_path, weights)
    held = read_contents(file)
    _accept(accept_licence, held.models, store)
    size = sum(model.size for model in held.models)
    with _bar("import", size) as meter:
        models = import_bundle(file, lock, store, meter)
    _say(f"{_count(models, 'model')}, {_format_bytes(size)} verified in {store.folder}")


def _open(lock_path: Path | None, weights: Path) -> tuple[WeightsLock, Store]:
    return read_lock(lock_path or find_lock()), Store(weights.expanduser())


def _accept(licences: list[str] | None, models: Sequence[LockedModel], store: Store) -> None:
    known = sorted({model.licence for model in models})
    if strange := set(licences or ()).difference(known):
        raise InvalidOption(f"no model asked for is under {min(strange)}, only {', '.join(known)}")
    if licences:
        accept(licences, store, datetime.now(UTC))


def _print_json(reports: Sequence[Report], store: Store) -> None:
    accepted = read_acceptances(store)
    lines = []
    for report in reports:
        licence = licence_of(report.model)
        facts = {
            "accepted": licence.is_free_of_conditions or licence.id in accepted,
            "folder": str(store.folder_of(report.model)),
        }
        lines.append(report.to_json() | facts)
    typer.echo(json.dumps(lines, indent=2))


def _print_report(report: Report) -> None:
    model = report.model
    size = _format_bytes(model.size)
    typer.echo(f"{model.role}: {report.summary}, {_count(model.files, 'file')}, {size}")
    if report.summary != "missing":
        for finding in report.problems:
            typer.echo(f"  {finding.path}: {finding.state.value}")


def _format_bytes(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.2f} {unit}"
    return f"{count} B"


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}" + "s" * (len(things) != 1)


def _say(text: str) -> None:
    open_stderr().print(text, markup=False)


@contextmanager
def _bar(verb: str, total: int | None) -> Iterator[Meter]:
    console = open_stderr()
    text = TextColumn("{task.description}")
    columns = (text, BarColumn(), DownloadColumn(), TransferSpeedColumn())
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task(verb, total=total)

        def hear(path: str, count: int) -> None:
            bar.update(task, advance=count, description=f"{verb} {path}")

        yield hear
