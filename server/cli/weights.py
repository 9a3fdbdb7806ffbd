"""``smart-resize weights``: which models there are, and getting them here, checked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import InvalidOption
from pipelines.weights.bundle import export_bundle, import_bundle, read_contents
from pipelines.weights.fetch import fetch, list_wanted
from pipelines.weights.hub import Hub
from pipelines.weights.licences import LICENCES, accept, read_text, require_acceptance
from pipelines.weights.lock import LockedModel, WeightsLock
from pipelines.weights.lock_file import check_writable, find_lock, read_lock, write_lock
from pipelines.weights.pinning import Wish, pin
from pipelines.weights.store import DEFAULT_FOLDER, Store, find_strangers
from pipelines.weights.verify import Depth, verify
from server.cli.report import open_stderr
from server.cli.weights_progress import format_bytes, show_progress
from server.cli.weights_report import count_of, print_json, print_report, print_table
from server.settings import read_settings

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
    typer.Option(
        "--lock",
        metavar="FILE",
        help="Another lock than SMART_RESIZE_LOCK's or this installation's.",
    ),
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
        print_json(reports, store)
        return
    print_table(reports, store)
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
    with show_progress() as gauge:
        meter = gauge.measure("verify", sum(model.size for model in models))
        depth = Depth.ALL if deep else Depth.NEW
        reports = [verify(model, store, depth, meter) for model in models]
    if as_json:
        print_json(reports, store)
    else:
        for report in reports:
            print_report(report, store)
    if not all(report.is_good for report in reports):
        _say(f"{'looked in' if store.folder.is_dir() else 'there is no folder'} {store.folder}")
        raise typer.Exit(3)


@app.command("licence")
def print_licence(
    licence: Annotated[str, typer.Argument(metavar="ID", help="Its name here, like openrail++.")],
) -> None:
    """Print the whole text of a licence, without network."""
    if licence not in LICENCES:
        raise InvalidOption(f"{licence!r} is not known here, only {', '.join(LICENCES)}")
    text = read_text(LICENCES[licence])
    if text is None:
        raise InvalidOption(f"the text is not in this program; read it at {LICENCES[licence].url}")
    typer.echo(text.rstrip())


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
    with show_progress() as gauge:
        wanted = list_wanted(models, store, gauge.measure("verify", None))
    needed = sum(file.size for _, file in wanted)
    if dry_run:
        for model, file in wanted:
            typer.echo(f"{model.role}: {file.path}, {format_bytes(file.size)}")
    elif wanted:
        with show_progress() as gauge:
            fetched, verified = gauge.measure("fetch", needed), gauge.measure("verify", needed)
            fetch(wanted, store, Hub(endpoint), fetched=fetched, verified=verified)
    verb = "to fetch into" if dry_run else "fetched and verified in"
    what = f"{count_of(wanted, 'file')}, {format_bytes(needed)} {verb}"
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
    A lock of your own that is not there yet begins as this installation's.
    """
    path = _choose_lock(lock_path)
    lock = read_lock(path if path.exists() else find_lock())
    check_writable(path)
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
        with show_progress() as gauge:
            model = pin(wish, hub, known, gauge.measure(f"lock {wish.role}", None))
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
    with show_progress() as gauge:
        export_bundle(models, store, file, gauge.measure("export", size))
    _say(f"{count_of(models, 'model')}, {format_bytes(size)} in {file}")


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
    models = read_contents(file, lock)
    _accept(accept_licence, models, store)
    size = sum(model.size for model in models)
    with show_progress() as gauge:
        import_bundle(file, lock, store, gauge.measure("import", size))
    _say(f"{count_of(models, 'model')}, {format_bytes(size)} verified in {store.folder}")


def _open(lock_path: Path | None, weights: Path) -> tuple[WeightsLock, Store]:
    return read_lock(_choose_lock(lock_path)), Store(weights.expanduser())


def _choose_lock(given: Path | None) -> Path:
    return given or read_settings().lock or find_lock()


def _accept(licences: list[str] | None, models: Sequence[LockedModel], store: Store) -> None:
    known = sorted({model.licence for model in models})
    if strange := set(licences or ()).difference(known):
        raise InvalidOption(f"no model asked for is under {min(strange)}, only {', '.join(known)}")
    if licences:
        accept(licences, store, datetime.now(UTC))


def _say(text: str) -> None:
    open_stderr().print(text, markup=False)
