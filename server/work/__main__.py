"""A worker's own process: ``python -m server.work DEVICE``, its settings in the environment."""

import sys
from functools import partial
from typing import NoReturn

from PIL import Image

from pipelines.engine import Engine
from pipelines.errors import InvalidOption, ModelError, ReframeError, WeightsError
from server.engines import Supplies, load_engine
from server.errors import Conflict
from server.logs import configure_logs
from server.settings import Settings, read_settings
from server.work.devices import occupy
from server.work.fittings import open_fittings
from server.work.worker import Equipment, Worker, leave

SEAT_TAKEN = 69
"""The exit code where another process works on the device."""

WRONG_SETTING = 2
"""The exit code where a setting cannot be what it is."""

NOT_THERE = 3
"""The exit code where the engine or its weights are not."""


def work(settings: Settings, device: str) -> NoReturn:
    """Be the worker for ``device``; the database is ready before.

    Raises:
        Conflict: another process works on this device.
        ReframeError: the engine or the image store cannot be used.
    """
    configure_logs(settings.log_level, "worker")
    occupy(device)
    load = partial(
        load_engine,
        settings.engine,
        Supplies(settings.weights, settings.lock, settings.graphs, settings.eight_bits),
    )
    Worker(settings, device).run(Equipment(load, open_fittings, probe))


def probe(engine: Engine) -> None:
    """Have the device do something small: in passing where the engine can, or else by a look."""
    if engine.probe:
        engine.probe()
    else:
        engine.describe(Image.new("RGB", (16, 16), "gray"))


def exit_code(error: ReframeError) -> int:
    """What a worker ends with that cannot begin."""
    match error:
        case Conflict():
            return SEAT_TAKEN
        case InvalidOption():
            return WRONG_SETTING
        case ModelError() | WeightsError():
            return NOT_THERE
        case _:
            return 1


def main() -> NoReturn:
    """Work until told to stop; why it cannot is one line on stderr."""
    try:
        work(read_settings(), sys.argv[1])
    except ReframeError as error:
        sys.stderr.write(f"smart-resize: {error.detail} ({error.code})\n")
        leave(exit_code(error))


if __name__ == "__main__":
    main()
