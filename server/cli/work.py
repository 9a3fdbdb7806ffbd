"""``smart-resize work``: one worker, for a house whose API is elsewhere."""

from typing import Annotated

import typer

from pipelines.errors import InvalidOption
from server.cli.report import open_stderr
from server.cli.serve import (
    WORK,
    Data,
    DatabaseUrl,
    EngineOption,
    Lock,
    PrivateHosts,
    PublicUrl,
    Weights,
    prepare,
)
from server.errors import Conflict
from server.settings import read_settings


def work(  # noqa: PLR0913  a command's options are its arguments
    *,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="cpu, or cuda: and a card's number; the only one if there is only one.",
            rich_help_panel=WORK,
        ),
    ] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    weights: Weights = None,
    lock: Lock = None,
    engine: EngineOption = None,
    public_url: PublicUrl = None,
    allow_private_hosts: PrivateHosts = False,
) -> None:
    """Work on what an API has taken, with one device, until told to stop.

    API and workers share the database, and the pictures: the same data folder, or a bucket.
    """
    settings = read_settings(
        data=data,
        database_url=database_url,
        weights=weights,
        lock=lock,
        engine=engine,
        public_url=public_url,
        allow_private_hosts=allow_private_hosts or None,
    )
    from server.work.__main__ import SEAT_TAKEN, work as run_worker  # noqa: PLC0415  see serve
    from server.work.devices import find_devices  # noqa: PLC0415  see serve

    found = find_devices(settings.engine)
    if device is None and len(found) > 1:
        msg = f"there are several devices: say --device with one of {', '.join(found)}"
        raise InvalidOption(msg)
    prepare(settings)
    try:
        run_worker(settings, device or found[0])
    except Conflict as error:
        open_stderr().print(f"smart-resize: {error.detail}", markup=False)
        raise typer.Exit(SEAT_TAKEN) from error
