"""The worker process: one device, the jobs that it is given, and an orderly end."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Event, Thread
from types import FrameType
from typing import NamedTuple, NoReturn

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from pipelines.codec.limits import Limits
from pipelines.engine import Engine
from server.database.engine import database_url, open_database
from server.errors import Conflict, DatabaseUnavailable
from server.jobs.durable_queue import DurableQueue
from server.jobs.migration import allow_jobs
from server.jobs.outage import reaching
from server.jobs.tries import MOST, Tries
from server.jobs.workers import Beat, forget_worker
from server.settings import Settings
from server.work import dispatch
from server.work.bench import Bench
from server.work.device import Device
from server.work.fittings import Fittings
from server.work.ledger import Ledger
from server.work.pulse import Pulse
from server.work.quiet import quieten
from server.work.recovery import Recovery
from server.work.retention import Retention
from server.work.rounds import Duties, Rounds
from server.work.seats import Seat, Seats, find_seats, name_worker
from server.work.workflows import register_workflows

DEVICE_FAILED = 75
"""The exit code of a worker whose device only a new process can use again."""

SEAT_FREE = 0.5
"""Seconds in which the seat of a process that is just ending gets free."""

HURRY = 1.0
"""Seconds for what the next process makes up for if there is no time."""

LAST_LOOK = 0.2
"""Seconds after which whoever was just looking into the queue has taken up what was there."""

CONNECTIONS = 16
"""To the database; each callback on its way may need one."""

log = structlog.get_logger("server.work")


class Equipment(NamedTuple):
    """Where a worker gets its engine and the rest; ``probe`` has the device do something small."""

    load: Callable[[], Engine]
    fit: Callable[[Settings, sa.Engine], Fittings]
    probe: Callable[[Engine], None]


class Worker:
    """One device's process, from taking its seat to leaving it."""

    def __init__(self, settings: Settings, device: str, *, most_tries: int = MOST) -> None:
        """Nothing is opened yet; ``device`` is what the device is called."""
        url = settings.database_url.get_secret_value() if settings.database_url else None
        self._url = database_url(settings.data, url)
        self._settings, self._device, self._most_tries = settings, device, most_tries
        self._name = name_worker(device, settings.data)
        self._stop = Event()
        self._claims = False

    def run(self, equipment: Equipment) -> NoReturn:
        """Work until told to stop, then end the process; the database is ready before.

        Raises:
            Conflict: another process works on this device.
            ReframeError: the engine or the image store cannot be used.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)
        quieten()
        seats = find_seats(self._url, self._settings.data)
        seat = self._sit(seats)
        database = open_database(self._url, pool=CONNECTIONS)
        fittings = equipment.fit(self._settings, database)
        log.info("loading the engine", worker=self._name, device=self._device)
        engine = equipment.load()
        sign = Beat(self._name, self._device, engine.name, os.getpid())
        pulse = Pulse(database, sign, partial(equipment.probe, engine), _abandon)
        pulse.check()
        bench = self._furnish(database, fittings, engine)
        # not many more: what one worker has taken up another one that is idle cannot have
        allow_jobs(database, engine.callers)
        dispatch.set_up(database, self._name)
        register_workflows(bench)
        self._claims = True
        dispatch.start()
        pulse.start()
        rounds = Rounds(self._list_duties(database, bench, fittings, pulse, (seat, seats)))
        rounds.start()
        log.info("worker ready", worker=self._name, device=self._device, engine=engine.name)
        self._stop.wait()
        rounds.stop()
        self._drain(database, bench)
        seat.leave()
        leave(0)

    def _hear(self, number: int, _: FrameType | None) -> None:
        """The first signal asks for an orderly end; the second, or one before any job, for any."""
        if self._stop.is_set() or not self._claims:
            leave(128 + number if self._claims else 0)
        self._stop.set()

    def _sit(self, seats: Seats) -> Seat:
        deadline = time.monotonic() + SEAT_FREE
        while True:
            with reaching():
                seat = seats.take(self._name)
            if seat is not None:
                return seat
            if time.monotonic() > deadline:
                msg = f"another worker process already works on {self._device} of this data folder"
                raise Conflict(msg)
            time.sleep(0.1)

    def _furnish(self, database: sa.Engine, fittings: Fittings, engine: Engine) -> Bench:
        most = round(self._settings.max_megapixels * 1e6)
        return Bench(
            worker=self._name,
            queue=DurableQueue(database, bound=self._settings.max_queue),
            tries=Tries(database),
            store=fittings.store,
            fetch=fittings.fetch,
            gather=fittings.gather,
            engine=engine,
            limits=Limits(max_bytes=self._settings.max_source, max_pixels=most),
            deliver=fittings.deliver,
            abandon=_abandon,
            most_tries=self._most_tries,
            device=Device(engine.callers if engine.batch > 1 else 1),
            signer=fittings.signer,
        )

    def _list_duties(
        self,
        database: sa.Engine,
        bench: Bench,
        fittings: Fittings,
        pulse: Pulse,
        sitting: tuple[Seat, Seats],
    ) -> Duties:
        seat, seats = sitting
        ledger = Ledger(database)
        retention = Retention(
            database,
            ledger,
            fittings.store,
            timedelta(seconds=self._settings.retention),
            own=fittings.own,
            forget=fittings.forget,
            sweep=fittings.sweep,
        )
        recovery = Recovery(
            self._name,
            seats=seats,
            queue=bench.queue,
            tries=bench.tries,
            ledger=ledger,
            active=dispatch.list_active,
        )
        return Duties(seat, seats, pulse, recovery, retention, _abandon)

    def _drain(self, database: sa.Engine, bench: Bench) -> None:
        """Take up nothing more, give what runs its time, and give back what is left."""
        log.info("worker stops", worker=self._name)
        deadline = time.monotonic() + self._settings.drain
        dispatch.stop()
        # a database that is away holds nobody up for long
        _hurry(partial(forget_worker, database, self._name))
        time.sleep(LAST_LOOK)
        while time.monotonic() < deadline and dispatch.list_active():
            time.sleep(0.05)
        _hurry(partial(self._give_back, Ledger(database), bench))

    def _give_back(self, ledger: Ledger, bench: Bench) -> None:
        left = [entry for entry in ledger.taken() if entry.worker == self._name]
        for entry in left:
            if entry.id in bench.gate.inside():
                bench.tries.take_back(entry.id)
            ledger.give_back(entry)
            log.warning("given back", workflow=entry.id)


def leave(code: int) -> NoReturn:
    """End the process now: threads that wait for a database would keep it for ever."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _abandon() -> NoReturn:
    leave(DEVICE_FAILED)


def _hurry(deed: Callable[[], object]) -> None:
    """Do what a peer or the next process makes up for if there is no time for it now."""

    def try_it() -> None:
        with suppress(DBAPIError, DatabaseUnavailable):
            deed()

    thread = Thread(target=try_it, daemon=True)
    thread.start()
    thread.join(HURRY)
