"""``smart-resize keys``: who may use the server."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from pipelines.errors import InvalidOption
from server.access.audit import note
from server.access.key_store import KeyStore
from server.cli.serve import read_settings
from server.database import engine
from server.database.schema import create_tables

app = typer.Typer(name="keys", help="Make, list and revoke API keys.", no_args_is_help=True)

Data = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The server's data folder; SMART_RESIZE_DATA, or data."),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="PostgreSQL, if not the data folder's own database."),
]


class _Office(NamedTuple):
    """Where keys are kept, and where it is noted what was done to them."""

    keys: KeyStore
    data: Path


def _open(data: Path | None, url: str | None) -> _Office:
    settings = read_settings(data=data, database_url=url)
    settings.data.mkdir(parents=True, exist_ok=True)
    secret = settings.database_url
    opened = engine.open_database(
        engine.database_url(settings.data, secret.get_secret_value() if secret else None)
    )
    create_tables(opened)
    return _Office(KeyStore(opened), settings.data)


@app.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="Whose key it is.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
    rate: Annotated[int, typer.Option(min=0, help="Requests a minute; 0 is no limit.")] = 0,
    concurrency: Annotated[
        int, typer.Option(min=0, help="Unfinished jobs at a time; 0 is no limit.")
    ] = 0,
    retention: Annotated[
        int | None,
        typer.Option(min=60, metavar="SECONDS", help="How long its pictures and jobs are kept."),
    ] = None,
) -> None:
    """Make a key and print it, this once: only its digest is kept."""
    office = _open(data, database_url)
    key, secret = office.keys.create(name, rate=rate, concurrency=concurrency, retention=retention)
    note(office.data, "key created", id=key.id, name=name)
    typer.echo(secret)


@app.command("list")
def list_keys(*, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """Show the keys, the oldest first; never their secrets."""
    for key in _open(data, database_url).keys.list():
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "valid"
        typer.echo(f"{key.id}  {key.created_at:%Y-%m-%d}  {state}  {key.name}")


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="NAME|ID", help="As list shows it.")],
    *,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """End every key of this name, or the one with this id; servers notice within seconds."""
    office = _open(data, database_url)
    ended = office.keys.revoke(key)
    if not ended:
        msg = f"there is no valid key {key!r}"
        raise InvalidOption(msg)
    for each in ended:
        note(office.data, "key revoked", id=each.id, name=each.name)
        typer.echo(f"revoked {each.id}  {each.name}")
