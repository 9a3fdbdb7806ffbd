"""Signs of life, and what a worker does in its rounds when something is not as it was."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import NoReturn

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from pipelines.errors import DeviceFailed, OutOfMemory
from server.jobs.tries import Tries
from server.jobs.workers import Beat, forget_worker, live_workers
from server.work import rounds as rounds_module
from server.work.ledger import Ledger
from server.work.pulse import Pulse
from server.work.recovery import Recovery
from server.work.retention import Retention
from server.work.rounds import ROBBED, Duties, Rounds
from server.work.seats import FileSeats, Seat
from tests.server.work.workshop import Workshop

SIGN = Beat("cpu-1", "cpu", "small", 0)
MINUTE = timedelta(minutes=1)


class Abandoned(Exception):
    """The process would end here."""


def abandon() -> NoReturn:
    raise Abandoned


class Probe:
    """A device that does what it is told to."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __call__(self) -> None:
        if self.error:
            raise self.error


def test_a_worker_tells_what_its_device_last_did(workshop: Workshop) -> None:
    probe = Probe()
    pulse = Pulse(workshop.engine, SIGN, probe, abandon)
    pulse.beat()
    [sign] = live_workers(workshop.engine, MINUTE)
    assert (sign.checked_at, sign.trouble) == (None, None)
    pulse.check()
    pulse.beat()
    [well] = live_workers(workshop.engine, MINUTE)
    assert well.answers(MINUTE)
    for error, words in [(OutOfMemory("no room"), "no room"), (ValueError("x"), "check failed")]:
        probe.error = error
        pulse.check()
        pulse.beat()
        [sick] = live_workers(workshop.engine, MINUTE)
        assert sick.trouble is not None
        assert words in sick.trouble
        assert sick.checked_at == well.checked_at
        assert not sick.answers(MINUTE)
    probe.error = None
    pulse.check()
    pulse.beat()
    assert live_workers(workshop.engine, MINUTE)[0].answers(MINUTE)


def test_a_device_that_failed_for_good_ends_the_process(workshop: Workshop) -> None:
    probe = Probe()
    probe.error = DeviceFailed()
    with pytest.raises(Abandoned):
        Pulse(workshop.engine, SIGN, probe, abandon).check()


class LostSeat:
    """A seat that somebody else sits on, or of which the database knows nothing at the moment."""

    def __init__(self) -> None:
        self.is_away = False

    def confirm(self) -> bool:
        if self.is_away:
            raise OperationalError("SELECT 1", {}, Exception("away"))
        return False

    def leave(self) -> None:
        """Nothing to leave."""


@pytest.fixture
def seat() -> LostSeat:
    return LostSeat()


def make_rounds(workshop: Workshop, seat: Seat, sweep: Callable[[datetime], object]) -> Rounds:
    seats, ledger = FileSeats(workshop.folder / "workers"), Ledger(workshop.engine)
    recovery = Recovery(
        "me",
        seats=seats,
        queue=workshop.queue,
        tries=Tries(workshop.engine),
        ledger=ledger,
        active=set,
    )
    retention = Retention(workshop.engine, ledger, workshop.store, MINUTE, sweep=sweep)
    pulse = Pulse(workshop.engine, SIGN, Probe(), abandon)
    return Rounds(Duties(seat, seats, pulse, recovery, retention, abandon))


@pytest.fixture
def rounds(workshop: Workshop, seat: LostSeat) -> Rounds:
    return make_rounds(workshop, seat, lambda _: None)


def test_a_process_whose_seat_was_taken_ends(rounds: Rounds) -> None:
    for _ in range(ROBBED - 1):
        rounds._hold_seat()  # somebody may just be looking whether it is free
    with pytest.raises(Abandoned):
        rounds._hold_seat()


def test_a_database_that_is_away_takes_no_seat(rounds: Rounds, seat: LostSeat) -> None:
    seat.is_away = True
    for _ in range(2 * ROBBED):
        with pytest.raises(OperationalError):
            rounds._hold_seat()
    assert rounds._duties.recovery._calm > 0


def test_an_outage_is_told_of_once(rounds: Rounds, seat: LostSeat) -> None:
    with capture_logs() as lines:
        for is_away in (True, True, True, False, False):
            seat.is_away = is_away
            rounds._go_round()
    assert [line["event"] for line in lines] == [
        "the database does not answer",
        "the database answers again",
    ]


def test_a_long_sweep_keeps_nobody_from_giving_signs_of_life(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds_module, "EVERY", 0.02)
    monkeypatch.setattr(rounds_module, "SWEEP_EVERY", 0.02)
    begun, end = Event(), Event()

    def sweep(_: datetime) -> None:
        begun.set()
        end.wait(20)

    seat = FileSeats(workshop.folder / "workers").take("me")
    assert seat is not None
    rounds = make_rounds(workshop, seat, sweep)
    rounds.start()
    try:
        assert begun.wait(20)
        forget_worker(workshop.engine, SIGN.worker)
        workshop.wait_for(lambda: live_workers(workshop.engine, MINUTE) != [])
    finally:
        rounds.stop()
        end.set()
