"""``smart-resize serve``: the API and a worker for each device, on this machine.

What a house is made of takes a second to load; the other commands do not wait for it.
"""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import InvalidOption
from server.cli.report import open_stderr
from server.settings import EngineName, Settings, read_settings

LISTEN = "Where to listen"
HOUSE = "Where things are"
WORK = "Who works"

Data = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder of the database and the pictures.", rich_help_panel=HOUSE
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="PostgreSQL, if not SQLite in the data folder.",
        rich_help_panel=HOUSE,
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Where the weights of engine sdxl are.", rich_help_panel=HOUSE
    ),
]
Lock = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Another weights.lock than this installation's.",
        rich_help_panel=HOUSE,
    ),
]
EngineOption = Annotated[
    EngineName | None,
    typer.Option("--engine", help="Who describes and paints.", rich_help_panel=WORK),
]
PrivateHosts = Annotated[
    bool,
    typer.Option(
        "--allow-private-hosts",
        help="Fetch from and call back to loopback and private addresses too.",
        rich_help_panel=WORK,
    ),
]
PublicUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Base of the links that are handed out, if callers come another way.",
        rich_help_panel=LISTEN,
    ),
]


def serve(  # noqa: PLR0913  a command's options are its arguments
    *,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on.", rich_help_panel=LISTEN)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port to listen on; 0 is a free one.", rich_help_panel=LISTEN
        ),
    ] = None,
    public_url: PublicUrl = None,
    insecure_open: Annotated[
        bool,
        typer.Option(
            "--insecure-open",
            help="Serve other machines without any API key.",
            rich_help_panel=LISTEN,
        ),
    ] = False,
    no_page: Annotated[
        bool,
        typer.Option(
            "--no-page", help="Leave out the page for people at /.", rich_help_panel=LISTEN
        ),
    ] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    weights: Weights = None,
    lock: Lock = None,
    engine: EngineOption = None,
    api_only: Annotated[
        bool,
        typer.Option(
            "--api-only",
            help="No worker here: other machines run smart-resize work.",
            rich_help_panel=WORK,
        ),
    ] = False,
    allow_private_hosts: PrivateHosts = False,
) -> None:
    """Serve the API, and work on what it takes, until told to stop.

    An option goes before the environment (SMART_RESIZE_...), that before the default.
    """
    settings = read_settings(
        host=host,
        port=port,
        public_url=public_url,
        insecure_open=insecure_open or None,
        page=False if no_page else None,
        data=data,
        database_url=database_url,
        weights=weights,
        lock=lock,
        engine=engine,
        allow_private_hosts=allow_private_hosts or None,
    )
    from server.logs import configure_logs  # noqa: PLC0415  see above
    from server.work.devices import find_devices  # noqa: PLC0415  see above
    from server.work.supervisor import Supervisor  # noqa: PLC0415  see above

    configure_logs(settings.log_level, "supervisor")
    url = prepare(settings)
    check_keys(settings, url)
    devices = () if api_only else find_devices(settings.engine)
    raise typer.Exit(Supervisor(settings, devices).run())


def prepare(settings: Settings) -> str:
    """Make the data folder and the database ready; returns the database's URL.

    Raises:
        InvalidOption: a setting cannot be what it is.
        Unavailable: what it names cannot be used.
    """
    from server.database.engine import database_url  # noqa: PLC0415  see above
    from server.work.preparation import prepare_database  # noqa: PLC0415  see above

    check_settings(settings)
    try:
        # who makes a folder for secrets says who may look into it
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        words = (error.strerror or "failed").lower()
        msg = f"the data folder {settings.data} cannot be made: {words}"
        raise InvalidOption(msg) from error
    secret = settings.database_url
    url = database_url(settings.data, secret.get_secret_value() if secret else None)
    prepare_database(url)
    return url


def check_settings(settings: Settings) -> None:
    """Raise InvalidOption for what only the room that it is meant for can read."""
    from pipelines.presets.preset_file import read_presets  # noqa: PLC0415  see above
    from server.images.address import EgressPolicy  # noqa: PLC0415  see above
    from server.images.object_store import ObjectStore  # noqa: PLC0415  see above
    from server.signer import load_signer  # noqa: PLC0415  see above

    load_signer(settings)
    try:
        EgressPolicy.parse(settings.allow_hosts)
    except InvalidOption as error:
        msg = f"setting allow-hosts: {error.detail}"
        raise InvalidOption(msg) from error
    read_presets(settings.presets)
    if settings.bucket is not None:
        ObjectStore(settings.bucket, settings.bucket_endpoint)


def check_keys(settings: Settings, url: str) -> None:
    """Say who is served where there are no keys; raises InvalidOption for other machines."""
    from server.access.key_store import KeyStore  # noqa: PLC0415  see above
    from server.api.gate import is_loopback  # noqa: PLC0415  see above
    from server.database.engine import open_database  # noqa: PLC0415  see above

    database = open_database(url)
    has_keys = KeyStore(database).any()
    database.dispose()
    if has_keys:
        return
    if is_loopback(settings.host):
        open_stderr().print("no API key yet: anybody on this machine, and nobody else, is served")
    elif settings.insecure_open:
        open_stderr().print("no API key: anybody who reaches this address is served")
    else:
        msg = (
            f"nobody but this machine is served without a key: make one (smart-resize keys create"
            f" --name NAME --data {settings.data}), or say --insecure-open"
        )
        raise InvalidOption(msg)
