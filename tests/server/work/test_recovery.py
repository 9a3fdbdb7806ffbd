"""What a worker does about jobs that others left behind."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from server.jobs.job import Job, Status
from server.jobs.tries import Tries
from server.work.ledger import Entry, Ledger
from server.work.recovery import CALM, Recovery
from server.work.seats import FileSeats
from tests.server.jobs.test_stored_order import write_newer
from tests.server.work.kills import HOOK
from tests.server.work.workshop import Workshop


@pytest.fixture
def seats(tmp_path: Path) -> FileSeats:
    return FileSeats(tmp_path / "workers")


@pytest.fixture
def active() -> set[str]:
    return set()


@pytest.fixture
def recovery(workshop: Workshop, seats: FileSeats, active: set[str]) -> Recovery:
    return Recovery(
        "me",
        seats=seats,
        queue=workshop.queue,
        tries=Tries(workshop.engine),
        ledger=Ledger(workshop.engine),
        active=lambda: active,
    )


def take(workshop: Workshop, job: Job, worker: str, status: str = "PENDING") -> None:
    """Let the worker have taken the job up, by the books."""
    query = "UPDATE workflow_status SET status = :status, executor_id = :worker"
    with workshop.engine.begin() as connection:
        values = {"status": status, "worker": worker, "id": job.id}
        connection.execute(sa.text(f"{query} WHERE workflow_uuid = :id"), values)


def test_the_jobs_of_a_worker_that_is_gone_are_put_back(
    workshop: Workshop, recovery: Recovery, seats: FileSeats
) -> None:
    left, worked_on = workshop.submit(), workshop.submit()
    take(workshop, left, "gone")
    take(workshop, worked_on, "alive")
    seat = seats.take("alive")
    recovery.go_round()
    assert workshop.workflows() == {left.id: "ENQUEUED", worked_on.id: "PENDING"}
    assert seat is not None
    seat.leave()
    freed = seats.take("gone")
    assert freed is not None, "a seat that was only looked at is left again"
    freed.leave()


def test_nobody_is_declared_gone_right_after_the_database_was_away(
    workshop: Workshop, recovery: Recovery
) -> None:
    job = workshop.submit()
    take(workshop, job, "gone")
    recovery.be_calm()
    for _ in range(CALM):
        recovery.go_round()
        assert workshop.workflows() == {job.id: "PENDING"}
    recovery.go_round()
    assert workshop.workflows() == {job.id: "ENQUEUED"}


def test_a_job_of_ours_without_a_thread_is_put_back_the_second_time(
    workshop: Workshop, recovery: Recovery, active: set[str]
) -> None:
    stranded, worked_on = workshop.submit(), workshop.submit()
    for job in (stranded, worked_on):
        take(workshop, job, "me")
        Tries(workshop.engine).add(job.id)
    active.add(worked_on.id)
    recovery.go_round()
    assert workshop.workflows()[stranded.id] == "PENDING"
    recovery.go_round()
    assert workshop.workflows() == {stranded.id: "ENQUEUED", worked_on.id: "PENDING"}
    assert Tries(workshop.engine).read(stranded.id) == 0
    assert Tries(workshop.engine).read(worked_on.id) == 1


@pytest.mark.parametrize(
    ("status", "end", "code"),
    [
        ("MAX_RECOVERY_ATTEMPTS_EXCEEDED", Status.FAILED, "worker_lost"),
        ("ERROR", Status.FAILED, "internal_error"),
        ("CANCELLED", Status.CANCELLED, None),
    ],
)
def test_the_job_of_a_broken_workflow_gets_its_end(
    workshop: Workshop, recovery: Recovery, status: str, end: Status, code: str | None
) -> None:
    job = workshop.submit(callback_url=HOOK)
    take(workshop, job, "me", status)
    recovery.go_round()
    ended = workshop.queue.get(job.id)
    assert (ended.status, ended.failure and ended.failure.code) == (end, code)
    assert workshop.workflows() == {f"cb-{job.id}": "ENQUEUED"}


def test_an_order_that_cannot_be_read_stops_no_round(
    workshop: Workshop, recovery: Recovery
) -> None:
    strange, job = workshop.submit(callback_url=HOOK), workshop.submit()
    write_newer(workshop.engine, strange.id)
    for each in (strange, job):
        take(workshop, each, "me", "ERROR")
    recovery.go_round()
    assert [workshop.queue.get(each.id).status for each in (strange, job)] == [Status.FAILED] * 2
    assert workshop.workflows() == {f"cb-{strange.id}": "ENQUEUED"}


def test_the_workflow_of_a_job_that_had_ended_is_cleared_away(
    workshop: Workshop, recovery: Recovery
) -> None:
    job = workshop.submit()
    workshop.queue.cancel(job.id)
    before = workshop.queue.get(job.id)
    assert workshop.workflows() == {job.id: "CANCELLED"}
    recovery.go_round()
    assert workshop.workflows() == {}
    assert workshop.queue.get(job.id) == before


def test_a_job_that_somebody_else_put_back_is_not_put_back_twice(workshop: Workshop) -> None:
    job = workshop.submit()
    take(workshop, job, "gone")
    ledger = Ledger(workshop.engine)
    [entry] = ledger.taken()
    assert entry == Entry(job.id, "reframe_job", "PENDING", "gone")
    assert ledger.hand_out_again(entry)
    take(workshop, job, "faster")
    assert not ledger.hand_out_again(entry)
    assert workshop.workflows() == {job.id: "PENDING"}
