"""Several workers on a real PostgreSQL server, which may itself go away."""

import signal
import time

import pytest
from dbos import DBOSClient

from server.errors import DatabaseUnavailable
from server.jobs import contract
from server.jobs.job import Status
from server.jobs.serializer import JsonSerializer
from tests.server.jobs.house import make_draft
from tests.server.jobs.postgres import Postgres
from tests.server.work.kills import HOOK, endure
from tests.server.work.outages import endure_outage
from tests.server.work.workshop import Workshop, kill

PAIR = ("cpu", "cuda:1")


@pytest.mark.slow
def test_jobs_survive_workers_that_are_killed_on_postgres(far_workshop: Workshop) -> None:
    tally = endure(far_workshop, kills=10, devices=PAIR)
    assert tally.is_clean, tally
    assert tally.outputs >= 5
    assert tally.repeated <= 2, tally


def test_another_worker_takes_over_from_one_that_is_gone(far_workshop: Workshop) -> None:
    job = far_workshop.submit("sleep 1", callback_url=HOOK)
    workers = {device: far_workshop.start(device) for device in PAIR}
    [seen] = far_workshop.wait([job], lambda job: job.status is Status.RUNNING)
    assert seen.worker is not None
    kill(workers["cpu" if seen.worker.startswith("cpu-") else "cuda:1"])
    [done] = far_workshop.wait([job])
    assert done.status is Status.SUCCEEDED
    assert done.worker != seen.worker
    assert far_workshop.renders("end").total() == 1
    far_workshop.wait_for(lambda: far_workshop.deliveries() == [job.id])


def test_a_worker_that_was_frozen_changes_nothing_any_more(far_workshop: Workshop) -> None:
    job = far_workshop.submit("sleep 0.5", callback_url=HOOK)
    frozen = far_workshop.start("cpu")
    far_workshop.wait_for(lambda: far_workshop.renders("begin").total() == 1)
    kill(frozen, signal.SIGSTOP)
    # its session lives, so only a person can tell that it is lost
    DBOSClient(
        system_database_engine=far_workshop.engine,
        serializer=JsonSerializer(),
        application_name=contract.APPLICATION,
        lazy=True,
    ).resume_workflow(job.id, queue_name=contract.JOBS)
    far_workshop.start("cuda:1", log="other.log")
    [done] = far_workshop.wait([job])
    assert done.worker is not None
    assert done.worker.startswith("cuda-1-")
    kill(frozen, signal.SIGCONT)
    after = far_workshop.submit(callback_url=HOOK)
    far_workshop.wait([after])
    far_workshop.wait_for(lambda: "no longer owned" in far_workshop.log())
    assert far_workshop.queue.get(job.id) == done
    assert far_workshop.published(job) == [output.blob for output in done.outputs]
    far_workshop.wait_for(lambda: len(far_workshop.deliveries()) == 2)
    assert sorted(far_workshop.deliveries()) == sorted([job.id, after.id])


def test_a_job_outlives_a_database_that_goes_away(
    far_workshop: Workshop, postgres: Postgres
) -> None:
    job = far_workshop.submit("sleep 1.5", sizes=(30, 32), callback_url=HOOK)
    far_workshop.start()
    far_workshop.wait_for(lambda: far_workshop.renders("begin").total() == 1)
    postgres.stop()
    for ask in (
        lambda: far_workshop.queue.get(job.id),
        lambda: far_workshop.queue.submit(make_draft()),
        lambda: far_workshop.queue.cancel(job.id),
    ):
        with pytest.raises(DatabaseUnavailable):
            ask()
    time.sleep(2.5)
    postgres.start()
    [done] = far_workshop.wait([job])
    assert done.status is Status.SUCCEEDED
    assert far_workshop.renders("begin").total() == 2, "two pictures, each painted once"
    far_workshop.wait_for(lambda: far_workshop.deliveries() == [job.id])
    after = far_workshop.submit()
    far_workshop.wait([after])
    warnings = [line for line in far_workshop.lines("worker.log") if '"warning"' in line]
    assert len(warnings) <= 20, far_workshop.log()


@pytest.mark.slow
def test_a_house_whose_database_is_away_refuses_quickly_and_goes_on(
    far_workshop: Workshop, postgres: Postgres
) -> None:
    tally = endure_outage(far_workshop, postgres, away=8)
    assert tally.is_clean, (tally, far_workshop.log(), far_workshop.log("api.log"))
    assert tally.worker_lines + tally.api_lines <= 20, far_workshop.log()
