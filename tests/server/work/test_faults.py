"""What becomes of jobs when their worker, its device or the disk is not as it should be."""

import signal
import time
from functools import partial
from pathlib import Path

import pytest

from server.jobs.job import Job, Status
from tests.server.jobs.house import Databases
from tests.server.jobs.test_stored_order import write_newer
from tests.server.work.workshop import Workshop, kill


def outlive(workshop: Workshop, jobs: list[Job]) -> int | None:
    """How a worker ended before it had ended the jobs; None if it did not."""
    worker = workshop.start()

    def is_over() -> bool:
        ended = all(workshop.queue.get(job.id).status.is_final for job in jobs)
        return ended or not worker.is_alive()

    workshop.wait_for(is_over)
    worker.join(0)
    return worker.exitcode


def has_begun(workshop: Workshop, renders: int) -> bool:
    return workshop.renders("begin").total() == renders


def test_a_device_that_failed_ends_the_process_and_its_job_is_tried_once_more(
    workshop: Workshop,
) -> None:
    sick = workshop.submit("break", callback_url="https://example.com/hook")
    for _ in range(2):
        worker = workshop.start()
        worker.join(30)
        assert worker.exitcode == 75
    assert workshop.renders("begin") == {sick.order.seed: 2}
    good = workshop.submit()
    workshop.start()
    failed, _ = workshop.wait([sick, good])
    assert failed.failure is not None
    assert failed.failure.code == "device_failed"
    workshop.wait_for(lambda: workshop.deliveries() == [sick.id])


def test_a_job_that_kills_its_worker_is_given_up_and_takes_nobody_with_it(
    workshop: Workshop,
) -> None:
    others = [workshop.submit("sleep 0.1")]
    poison = workshop.submit("die", callback_url="https://example.com/hook")
    others += [workshop.submit("sleep 0.1") for _ in range(2)]
    ends = 0
    while not all(job.status.is_final for job in workshop.wait([poison, *others], lambda _: True)):
        ends += outlive(workshop, [poison, *others]) == -signal.SIGKILL
    assert ends == 3
    given_up = workshop.queue.get(poison.id)
    assert given_up.failure is not None
    assert given_up.failure.code == "worker_lost"
    assert all(workshop.queue.get(job.id).status is Status.SUCCEEDED for job in others)
    assert workshop.renders("begin")[poison.order.seed] == 3
    workshop.wait_for(lambda: workshop.deliveries() == [poison.id])


def test_a_job_whose_worker_is_killed_is_done_by_the_next(workshop: Workshop) -> None:
    job = workshop.submit("sleep 0.3", sources=2, callback_url="https://example.com/hook")
    worker = workshop.start()
    workshop.wait_for(lambda: workshop.renders("end").total() == 1)
    workshop.wait_for(lambda: workshop.renders("begin").total() == 2)
    kill(worker)
    workshop.start()
    [done] = workshop.wait([job])
    assert len(done.outputs) == 2
    assert workshop.published(job) == sorted(output.blob for output in done.outputs)
    # the first source was written down as done, and is not done again
    assert workshop.renders("begin").total() == 3
    workshop.wait_for(lambda: workshop.deliveries() == [job.id])


def test_a_worker_that_is_told_to_stop_finishes_what_it_has(workshop: Workshop) -> None:
    jobs = [workshop.submit("sleep 0.8") for _ in range(4)]
    worker = workshop.start()
    workshop.wait(jobs[:1], lambda job: job.status is Status.RUNNING)
    kill(worker, signal.SIGTERM)
    worker.join(30)
    assert worker.exitcode == 0
    seen = [workshop.queue.get(job.id).status for job in jobs]
    assert seen == [Status.SUCCEEDED] * 2 + [Status.QUEUED] * 2
    assert workshop.renders("begin") == workshop.renders("end")


@pytest.mark.slow
def test_what_is_not_done_in_time_is_given_back(databases: Databases, tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, databases.make(tmp_path), drain=0.3)
    job = workshop.submit("sleep 1.2")
    for number in range(3):  # stopping is not the job's fault, however often
        worker = workshop.start()
        workshop.wait_for(partial(has_begun, workshop, number + 1))
        kill(worker, signal.SIGTERM)
        worker.join(30)
        assert worker.exitcode == 0
        assert workshop.workflows()[job.id] == "ENQUEUED"
    workshop.start()
    [done] = workshop.wait([job])
    assert done.status is Status.SUCCEEDED
    assert workshop.renders("end").total() == 1
    workshop.close()


def test_a_job_whose_output_finds_no_room_waits_for_some(workshop: Workshop) -> None:
    (workshop.folder / "full").touch()
    job = workshop.submit()
    worker = workshop.start()
    workshop.wait_for(lambda: workshop.renders("end").total() == 1)
    (workshop.folder / "full").unlink()
    [done] = workshop.wait([job])
    assert done.status is Status.SUCCEEDED
    assert worker.is_alive()


@pytest.mark.slow
def test_a_job_outlives_a_disk_that_takes_nothing(workshop: Workshop) -> None:
    jobs = [workshop.submit("stubborn 0.4", callback_url="https://example.com") for _ in range(2)]
    worker = workshop.start()
    workshop.wait_for(partial(has_begun, workshop, 1))
    (workshop.folder / "jammed").touch()
    time.sleep(0.7)
    assert not any(job.status.is_final for job in workshop.wait(jobs, lambda _: True))
    (workshop.folder / "jammed").unlink()
    seen = workshop.wait(jobs)
    assert {job.status for job in seen} == {Status.SUCCEEDED}, [job.failure for job in seen]
    workshop.wait_for(lambda: set(workshop.deliveries()) == {job.id for job in jobs})
    assert worker.is_alive()


def test_an_order_of_a_newer_program_fails_alone_and_is_told_of(workshop: Workshop) -> None:
    strange = workshop.submit(callback_url="https://example.com/hook")
    write_newer(workshop.engine, strange.id)
    usual = workshop.submit()
    workshop.start()
    failed, done = workshop.wait([strange, usual])
    assert failed.failure is not None
    assert (failed.status, failed.failure.code) == (Status.FAILED, "order_unreadable")
    assert done.status is Status.SUCCEEDED
    assert workshop.renders("begin").keys() == {usual.order.seed}
    workshop.wait_for(lambda: workshop.deliveries() == [strange.id])
