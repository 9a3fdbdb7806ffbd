"""``smart-resize keys``: who may use the server."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import InvalidOption
from server.access.audit import note
from server.access.defaults import read_defaults, write_defaults
from server.settings import TEN_YEARS, read_settings

app = typer.Typer(name="keys", help="Make, list and revoke API keys.", no_args_is_help=True)

Data = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The server's data folder; SMART_RESIZE_DATA, or data."),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="PostgreSQL, if not the data folder's own database."),
]


LONGEST_NAME = 200


def _find(data: Path | None, url: str | None, *, make: bool = False) -> tuple[Path, str | None]:
    """Where the office is: the data folder, and the database if it is not the folder's own."""
    settings = read_settings(data=data, database_url=url)
    if settings.database_url is None and not (make or settings.data.is_dir()):
        msg = f"there is no data folder {settings.data}"
        raise InvalidOption(msg)
    secret = settings.database_url
    return settings.data, secret.get_secret_value() if secret else None


@app.command()
def create(  # noqa: PLR0913  a command's options are its arguments
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
        typer.Option(
            min=60,
            max=TEN_YEARS,
            metavar="SECONDS",
            help="How long its pictures and jobs are kept.",
        ),
    ] = None,
    default: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="What its runs have where they say nothing: xmp, c2pa, store (true, false), "
            "metadata (none, copyright), extras (mask,record). Several times.",
        ),
    ] = None,
) -> None:
    """Make a key and print it, this once: only its digest is kept."""
    defaults = read_defaults(default or ())
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        msg = f"a key's name has 1 to {LONGEST_NAME} characters that can be printed"
        raise InvalidOption(msg)
    from server.access.office import open_office  # noqa: PLC0415  the database comes in late

    office = open_office(*_find(data, database_url, make=True))
    key, secret = office.keys.create(
        name, rate=rate, concurrency=concurrency, retention=retention, defaults=defaults
    )
    note(office.data, "key created", id=key.id, name=name, defaults=defaults)
    typer.echo(secret)


@app.command("list")
def list_keys(*, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """Show the keys, the oldest first; never their secrets."""
    from server.access.office import open_office  # noqa: PLC0415  see above

    for key in open_office(*_find(data, database_url)).keys.list():
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "valid"
        line = f"{key.id}  {key.created_at:%Y-%m-%d}  {state}  {key.name}"
        typer.echo(f"{line}  {write_defaults(key.defaults)}".rstrip())


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="NAME|ID", help="As list shows it.")],
    *,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """End every key of this name, or the one with this id; servers notice within seconds."""
    from server.access.office import open_office  # noqa: PLC0415  see above

    office = open_office(*_find(data, database_url))
    ended = office.keys.revoke(key)
    if not ended:
        msg = f"there is no valid key {key!r}"
        raise InvalidOption(msg)
    for each in ended:
        note(office.data, "key revoked", id=each.id, name=each.name)
        typer.echo(f"revoked {each.id}  {each.name}")
