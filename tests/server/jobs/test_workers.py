"""Workers in the database: who is alive, and whose device answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from server.jobs.workers import Beat, beat, forget_worker, live_workers

MINUTE = timedelta(minutes=1)
SIGN = Beat("cpu-1", "cpu", "preview", 12)


def test_a_worker_has_one_row_with_its_last_sign(engine: sa.Engine) -> None:
    beat(engine, SIGN)
    later = replace(SIGN, pid=13, checked_at=datetime.now(UTC))
    beat(engine, later)
    beat(engine, replace(SIGN, worker="cpu-0"))
    assert live_workers(engine, MINUTE) == [replace(SIGN, worker="cpu-0"), later]


def test_a_worker_that_was_silent_is_not_alive(engine: sa.Engine) -> None:
    beat(engine, SIGN)
    assert live_workers(engine, timedelta(0)) == []
    assert live_workers(engine, MINUTE) == [SIGN]


def test_a_worker_that_ended_well_is_forgotten(engine: sa.Engine) -> None:
    beat(engine, SIGN)
    forget_worker(engine, SIGN.worker)
    assert live_workers(engine, MINUTE) == []


def test_a_device_answers_if_it_did_so_lately_and_has_no_trouble() -> None:
    now = datetime.now(UTC)
    assert replace(SIGN, checked_at=now).answers(MINUTE)
    assert not SIGN.answers(MINUTE)
    assert not replace(SIGN, checked_at=now - 2 * MINUTE).answers(MINUTE)
    assert not replace(SIGN, checked_at=now, trouble="it hums").answers(MINUTE)
