"""How far a job is, and whether it is to stop."""

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.errors import JobCancelled
from pipelines.progress import Step
from server.errors import JobExpired
from server.jobs.job import Status
from server.work.teller import Teller
from tests.server.work.workshop import Workshop


def test_nothing_is_told_before_the_beginning(workshop: Workshop) -> None:
    job = workshop.submit()
    teller = Teller(workshop.queue, job.id, "cpu-1", 1)
    teller(Step.DECODE, 1.0)
    teller.tell()
    assert workshop.queue.get(job.id) == job
    teller.begin()
    teller.begin()
    teller.tell()
    told = workshop.queue.get(job.id)
    assert (told.status, told.worker) == (Status.RUNNING, "cpu-1")
    assert told.stage is not None
    assert (told.stage.step, told.stage.fraction) == ("decode", 0.03)


def test_the_share_of_all_work_only_grows(workshop: Workshop) -> None:
    teller = Teller(workshop.queue, workshop.submit().id, "cpu-1", pictures=4)
    shares = []
    for _ in range(3):
        for step in (*Step, "unheard of", Step.PLAN):
            for fraction in (0.0, 0.5, 1.0):
                teller(step, fraction)
                shares.append(teller._stage.fraction)
        teller.finish_picture()
    assert shares == sorted(shares)
    assert shares[-1] == 0.75
    assert len(set(shares)) > 20


def test_pictures_of_another_source_were_done_before(workshop: Workshop) -> None:
    teller = Teller(workshop.queue, workshop.submit().id, "cpu-1", pictures=4)
    teller.skip(2)
    teller(Step.DECODE, 0.0)
    assert teller._stage.fraction == 0.5


def test_a_wish_to_stop_is_heard_at_the_next_step(workshop: Workshop) -> None:
    job = workshop.submit()
    teller = Teller(workshop.queue, job.id, "cpu-1", 1)
    teller.begin()
    teller.tell()
    workshop.queue.cancel(job.id)
    teller(Step.OUTPAINT, 0.1)  # nobody has told it yet
    teller.tell()
    for hear in (teller.heed, lambda: teller(Step.OUTPAINT, 0.2)):
        with pytest.raises(JobCancelled):
            hear()


def test_a_job_that_is_not_to_begin_any_more_says_so(workshop: Workshop) -> None:
    cancelled, late = (
        workshop.submit(),
        workshop.submit(deadline=datetime.now(UTC) - timedelta(seconds=1)),
    )
    workshop.queue.cancel(cancelled.id)
    with pytest.raises(JobCancelled):
        Teller(workshop.queue, cancelled.id, "cpu-1", 1).begin()
    with pytest.raises(JobExpired):
        Teller(workshop.queue, late.id, "cpu-1", 1).begin()
