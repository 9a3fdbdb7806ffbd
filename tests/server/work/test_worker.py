"""What a worker process does with jobs: real processes, a real database, a small engine."""

import hashlib
import json
import signal
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import uuid_utils

from server.errors import BlobMissing
from server.jobs import contract
from server.jobs.job import Status
from server.jobs.order import Order, SizeTarget
from server.jobs.workers import live_workers
from tests.server.jobs.house import make_draft
from tests.server.work.small_worker import AGAIN
from tests.server.work.workshop import PICTURE, Workshop, kill


def test_a_job_is_reframed_published_and_told_of(workshop: Workshop) -> None:
    job = workshop.submit(sizes=(32, 40), sources=2, callback_url="https://example.com/hook")
    workshop.start()
    [done] = workshop.wait([job])
    assert done.status is Status.SUCCEEDED, done.failure
    assert [(o.source, o.target, o.width, o.height) for o in done.outputs] == [
        (0, 0, 24, 32),
        (0, 1, 24, 40),
        (1, 0, 24, 32),
        (1, 1, 24, 40),
    ]
    for output in done.outputs:
        data = workshop.store.read(output.blob)
        assert hashlib.sha256(data).hexdigest() == output.sha256
        assert (len(data), output.media_type) == (output.bytes, "image/png")
        assert output.record["engine"] == "small"
    assert workshop.published(job) == sorted(output.blob for output in done.outputs)
    assert done.gpu_seconds > 0
    assert {"gather", "decode", "describe", "outpaint", "encode"} <= done.seconds.keys()
    workshop.wait_for(lambda: workshop.deliveries() == [job.id])


def test_progress_can_be_followed(workshop: Workshop) -> None:
    job = workshop.submit("sleep 1")
    workshop.start()
    [seen] = workshop.wait([job], lambda job: job.stage is not None)
    assert seen.status is Status.RUNNING
    assert seen.worker is not None
    workshop.wait([job], lambda job: job.stage is not None and job.stage.fraction > 0.2)
    [done] = workshop.wait([job])
    assert done.started_at is not None
    assert done.gpu_seconds >= 1


def test_two_jobs_never_have_the_device_at_once(workshop: Workshop) -> None:
    jobs = [workshop.submit("stubborn 0.02", sizes=(30, 32, 34)) for _ in range(4)]
    workshop.start()
    workshop.wait(jobs)
    kinds = [line.split()[0] for line in workshop.lines("renders.log")]
    assert kinds == ["begin", "end"] * 12


def test_an_engine_that_makes_batches_has_enough_jobs_for_them(workshop: Workshop) -> None:
    jobs = [workshop.submit("sleep 3") for _ in range(8)]
    workshop.start(batch=4)
    workshop.wait_for(lambda: len(workshop.renders("begin")) == 6)
    states = [workshop.queue.get(job.id).status for job in jobs]
    assert states == [Status.RUNNING] * 6 + [Status.QUEUED] * 2
    assert {job.status for job in workshop.wait(jobs)} == {Status.SUCCEEDED}


def test_the_next_jobs_sources_come_while_the_device_works(workshop: Workshop) -> None:
    first = workshop.submit("sleep 1.5")
    workshop.start()
    workshop.wait([first], lambda job: job.status is Status.RUNNING)
    second = workshop.submit()
    query = sa.text("SELECT function_name FROM operation_outputs WHERE workflow_uuid = :id")

    def is_gathered() -> bool:
        with workshop.engine.connect() as connection:
            steps = connection.execute(query, {"id": second.id}).scalars().all()
        return steps == ["gather"]

    workshop.wait_for(is_gathered)
    assert workshop.queue.get(first.id).status is Status.RUNNING
    assert workshop.queue.get(second.id).status is Status.QUEUED
    ended = workshop.wait([first, second])
    assert [job.status for job in ended] == [Status.SUCCEEDED] * 2


def test_a_cancelled_queued_job_is_never_painted(workshop: Workshop) -> None:
    job = workshop.submit()
    workshop.queue.cancel(job.id)
    other = workshop.submit()
    workshop.start()
    workshop.wait([other])
    assert workshop.queue.get(job.id).status is Status.CANCELLED
    assert workshop.renders("begin").keys() == {other.order.seed}


def test_a_running_job_stops_when_it_is_cancelled(workshop: Workshop) -> None:
    job = workshop.submit("sleep 30", callback_url="https://example.com/hook")
    workshop.start()
    workshop.wait([job], lambda job: job.status is Status.RUNNING)
    workshop.queue.cancel(job.id)
    [ended] = workshop.wait([job], seconds=10)
    assert (ended.status, ended.outputs) == (Status.CANCELLED, ())
    assert ended.gpu_seconds > 0
    assert not workshop.renders("end")
    workshop.wait_for(lambda: workshop.deliveries() == [job.id])


def test_a_job_that_waits_for_the_device_can_be_cancelled(workshop: Workshop) -> None:
    first = workshop.submit("sleep 1.5")
    workshop.start()
    workshop.wait([first], lambda job: job.status is Status.RUNNING)
    second = workshop.submit()
    workshop.wait_for(lambda: workshop.workflows()[second.id] == "PENDING")
    assert workshop.queue.cancel(second.id).status is Status.CANCELLED
    workshop.wait([first])
    workshop.wait_for(lambda: workshop.workflows().get(second.id) == "SUCCESS")
    assert workshop.renders("begin").keys() == {first.order.seed}


def test_what_is_wrong_with_a_source_is_the_jobs_failure(workshop: Workshop) -> None:
    broken, missing = workshop.submit(), workshop.submit()
    workshop.store.put(f"sources/{broken.id}/given0", b"not a picture")
    workshop.store.delete(f"sources/{missing.id}/")
    workshop.start()
    seen = workshop.wait([broken, missing])
    assert [job.failure and (job.failure.code, job.failure.step) for job in seen] == [
        ("image_undecodable", "decode"),
        ("blob_missing", "gather"),
    ]


def test_a_job_that_is_late_is_not_begun(workshop: Workshop) -> None:
    job = workshop.submit(deadline=datetime.now(UTC) - timedelta(seconds=1))
    workshop.start()
    [ended] = workshop.wait([job])
    assert ended.failure is not None
    assert ended.failure.code == "job_expired"
    assert not workshop.renders("begin")


def test_a_worker_outlives_memory_that_is_too_small_and_defects(workshop: Workshop) -> None:
    greedy, defect, good = (workshop.submit(prompt) for prompt in ("exhaust", "stumble", ""))
    worker = workshop.start()
    seen = workshop.wait([greedy, defect, good])
    assert [job.failure and job.failure.code for job in seen] == [
        "out_of_memory",
        "internal_error",
        None,
    ]
    assert worker.is_alive()
    assert seen[1].failure is not None
    assert "ZeroDivisionError" not in seen[1].failure.message
    assert "ZeroDivisionError" in workshop.log()


def test_a_second_worker_for_the_same_device_is_refused(workshop: Workshop) -> None:
    workshop.start()
    workshop.wait_for(lambda: bool(workshop.lines("probes.log")))
    second = workshop.start(log="second.log")
    second.join(30)
    assert second.exitcode == 69
    assert "another worker process already works on cpu" in workshop.log("second.log")
    assert len(workshop.lines("second.log")) == 1
    job = workshop.submit()
    workshop.wait([job])


def test_another_device_has_a_worker_of_its_own(workshop: Workshop) -> None:
    for device in ("cpu", "cuda:1"):
        workshop.start(device)
    jobs = [workshop.submit("sleep 0.3") for _ in range(4)]
    assert len({job.worker for job in workshop.wait(jobs)}) == 2


def test_a_worker_gives_signs_of_life_until_it_stops(workshop: Workshop) -> None:
    within = timedelta(seconds=30)
    worker = workshop.start()
    workshop.wait_for(lambda: len(live_workers(workshop.engine, within)) == 1)
    [sign] = live_workers(workshop.engine, within)
    assert (sign.pid, sign.device, sign.engine) == (worker.pid, "cpu", "small")
    assert sign.answers(within)
    kill(worker, signal.SIGTERM)
    worker.join(30)
    assert worker.exitcode == 0
    assert live_workers(workshop.engine, within) == []


def test_a_job_of_many_callbacks_holds_no_device(workshop: Workshop) -> None:
    job = workshop.submit(callback_url="https://example.com/hook")
    workshop.start()
    workshop.wait([job])
    workshop.wait_for(lambda: len(workshop.deliveries()) == 1)
    workshop.queue.redeliver(job.id, 1)
    workshop.wait_for(lambda: len(workshop.deliveries()) == 2)


def test_what_must_not_be_kept_touches_no_disk(workshop: Workshop) -> None:
    job = workshop.submit_volatile()
    workshop.start()
    [done] = workshop.wait([job])
    [output] = done.outputs
    assert output.blob.startswith("volatile/outputs/")
    assert hashlib.sha256(workshop.store.read(output.blob)).hexdigest() == output.sha256
    assert not list((workshop.folder / "pictures").glob("*/*/*"))
    workshop.wait_for(lambda: workshop.workflows()[job.id] == "SUCCESS")
    with pytest.raises(BlobMissing):
        workshop.store.read(f"volatile/sources/{job.id}/given0")
    workshop.store.delete(f"volatile/outputs/{job.id}/")


def test_nothing_is_pickled(workshop: Workshop) -> None:
    jobs = [
        workshop.submit(prompt, callback_url="https://example.com/hook")
        for prompt in ("", "stumble")
    ]
    workshop.start()
    workshop.wait(jobs)
    workshop.wait_for(lambda: set(workshop.workflows().values()) == {"SUCCESS"})
    seen = 0
    with workshop.engine.connect() as connection:
        for table, column in (
            ("workflow_input", "inputs"),
            ("workflow_output", "output"),
            ("operation_outputs", "output"),
        ):
            rows = connection.execute(sa.text(f"SELECT {column} FROM {table}")).scalars()
            for text in rows:
                json.loads(text)
                seen += 1
        kinds = connection.execute(sa.text("SELECT serialization FROM workflow_status"))
        assert set(kinds.scalars()) == {"json"}
    assert seen == 12  # of four workflows and four steps


def test_a_failure_says_which_source_it_was(workshop: Workshop) -> None:
    job = workshop.submit(sources=3)
    workshop.store.put(f"sources/{job.id}/given1", b"no picture at all")
    workshop.start()
    [done] = workshop.wait([job])
    assert done.failure
    assert done.failure.code == "image_undecodable"
    assert done.failure.message.startswith("source 2 of 3 (given1): ")
    assert "target" not in done.failure.message


def test_a_failure_says_which_target_it_was(workshop: Workshop) -> None:
    job_id = str(uuid_utils.uuid7())
    workshop.store.put(f"sources/{job_id}/given0", PICTURE)
    targets = (
        SizeTarget(width=24, height=32),
        SizeTarget(width=24, height=40, max_bytes=20),
    )
    order = Order(sources=(f"blob:sources/{job_id}/given0",), targets=targets, seed=1)
    job = workshop.queue.submit(make_draft(id=job_id, order=order)).job
    workshop.start()
    [done] = workshop.wait([job])
    assert done.failure
    assert done.failure.code == "unreachable_budget"
    assert done.failure.message.startswith("target 2 of 2 (24x40): ")


def test_a_callback_that_is_to_be_sent_again_holds_no_place_meanwhile(workshop: Workshop) -> None:
    hook = "https://example.com/hook"
    hour = f"{AGAIN}3600"
    patient = [
        workshop.submit(callback_url=hook, client_ref=hour)
        for _ in range(contract.CALLBACKS_AT_ONCE + 2)
    ]
    soon = workshop.submit(callback_url=hook, client_ref=f"{AGAIN}0.5")
    workshop.start()
    workshop.wait([*patient, soon])
    told = sorted([*(job.id for job in patient), soon.id, soon.id])
    workshop.wait_for(lambda: sorted(workshop.deliveries()) == told)
    waiting = {name for name, status in workshop.workflows().items() if status == "DELAYED"}
    assert waiting == {contract.callback_id(job.id, 0, 1) for job in patient}
