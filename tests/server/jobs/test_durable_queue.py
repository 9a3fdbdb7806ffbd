"""The queue's eight verbs, on a SQLite file and on a real PostgreSQL server."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from pipelines.errors import JobCancelled
from server.errors import JobExpired, JobNotFound
from server.jobs.contract import callback_id, tries_before
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Failure, Job, Output, Stage, Status
from tests.server.jobs.house import make_draft

HOUR = timedelta(hours=1)


def make_output(number: int = 0) -> Output:
    return Output(
        blob=f"outputs/x/{number}.png",
        file_name=f"photo-{number}.png",
        media_type="image/png",
        width=64,
        height=48,
        bytes=1234,
        sha256="ab" * 32,
        source=0,
        target=number,
        variant=0,
        record={"engine": "preview", "nsfw_detected": None, "seam": {"left": 0.25}},
    )


def run(queue: DurableQueue, job_id: str) -> Job:
    queue.begin(job_id, "worker-1")
    return queue.finish(job_id, [make_output()], gpu_seconds=1.5, seconds={"outpaint": 1.25})


def list_workflows(engine: sa.Engine) -> dict[str, str]:
    """What is in DBOS's line: status by id."""
    schema = "dbos." if engine.dialect.name == "postgresql" else ""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(f"SELECT workflow_uuid, status FROM {schema}workflow_status")
        )
        return {row.workflow_uuid: row.status for row in rows}


def test_a_job_comes_back_as_it_was_given(queue: DurableQueue) -> None:
    deadline = datetime.now(UTC) + HOUR
    draft = make_draft(
        callback_url="https://example.com/hook",
        client_ref="order-9",
        metadata={"campaign": "spring", "list": [1, None, "é"]},
        request_id="r-1",
        deadline=deadline,
    )
    before = datetime.now(UTC)
    job, is_new = queue.submit(draft)
    assert is_new
    assert job == queue.get(draft.id)
    assert (job.id, job.owner, job.model, job.order) == (
        draft.id,
        draft.owner,
        draft.model,
        draft.order,
    )
    assert (job.callback_url, job.client_ref) == (draft.callback_url, draft.client_ref)
    assert (job.metadata, job.request_id, job.deadline) == (draft.metadata, "r-1", deadline)
    assert before <= job.created_at <= datetime.now(UTC)
    assert (job.status, job.position, job.outputs) == (Status.QUEUED, 0, ())


def test_a_job_and_its_place_in_line_are_one_commit(queue: DurableQueue, engine: sa.Engine) -> None:
    job_id = queue.submit(make_draft()).job.id
    assert list_workflows(engine) == {job_id: "ENQUEUED"}


def test_a_job_goes_from_line_to_success(queue: DurableQueue) -> None:
    job_id = queue.submit(make_draft()).job.id
    begun = queue.begin(job_id, "worker-1")
    assert (begun.status, begun.worker, begun.position) == (Status.RUNNING, "worker-1", None)
    assert begun.started_at is not None
    queue.report(job_id, Stage("outpaint", 0.5))
    assert queue.get(job_id).stage == Stage("outpaint", 0.5)
    done = queue.finish(job_id, [make_output()], gpu_seconds=1.5, seconds={"outpaint": 1.25})
    assert done == queue.get(job_id)
    assert (done.status, done.outputs) == (Status.SUCCEEDED, (make_output(),))
    assert (done.gpu_seconds, done.seconds) == (1.5, {"outpaint": 1.25})
    assert done.finished_at is not None
    assert done.finished_at >= begun.started_at


def test_a_failure_keeps_its_reason(queue: DurableQueue) -> None:
    job_id = queue.submit(make_draft()).job.id
    queue.begin(job_id, "worker-1")
    why = Failure("image_undecodable", "this is not a picture", "decode")
    job = queue.fail(job_id, why, gpu_seconds=0.25)
    assert (job.status, job.failure, job.gpu_seconds) == (Status.FAILED, why, 0.25)


def test_a_job_may_fail_before_it_begins(queue: DurableQueue) -> None:
    job_id = queue.submit(make_draft()).job.id
    assert queue.fail(job_id, Failure("source_unavailable", "404")).status is Status.FAILED
    with pytest.raises(JobCancelled):
        queue.begin(job_id, "worker-1")


def test_a_job_begun_again_keeps_its_first_start(queue: DurableQueue) -> None:
    job_id = queue.submit(make_draft()).job.id
    first = queue.begin(job_id, "worker-1")
    again = queue.begin(job_id, "worker-2")
    assert (again.started_at, again.worker) == (first.started_at, "worker-2")


def test_a_final_job_stays_what_it_is(queue: DurableQueue) -> None:
    job_id = queue.submit(make_draft()).job.id
    done = run(queue, job_id)
    assert queue.finish(job_id, [], gpu_seconds=9, seconds={}) == done
    assert queue.fail(job_id, Failure("internal_error", "no")) == done
    assert queue.cancel(job_id) == done
    for late in (
        lambda: queue.begin(job_id, "worker-2"),
        lambda: queue.report(job_id, Stage("encode", 0.9)),
    ):
        with pytest.raises(JobCancelled):
            late()
    assert queue.get(job_id) == done


def test_a_queued_job_is_cancelled_at_once_and_never_begins(
    queue: DurableQueue, engine: sa.Engine
) -> None:
    job_id = queue.submit(make_draft()).job.id
    job = queue.cancel(job_id)
    assert (job.status, job.failure) == (Status.CANCELLED, None)
    assert job.finished_at is not None
    assert list_workflows(engine) == {job_id: "CANCELLED"}
    with pytest.raises(JobCancelled):
        queue.begin(job_id, "worker-1")


def test_a_running_job_hears_of_its_end_when_it_reports(queue: DurableQueue) -> None:
    job_id = queue.submit(make_draft()).job.id
    queue.begin(job_id, "worker-1")
    assert queue.cancel(job_id).status is Status.RUNNING
    with pytest.raises(JobCancelled):
        queue.report(job_id, Stage("outpaint", 0.5))
    with pytest.raises(JobCancelled):
        queue.begin(job_id, "worker-2")
    job = queue.fail(job_id, Failure("job_cancelled", "The job was cancelled."), gpu_seconds=0.5)
    assert (job.status, job.failure, job.gpu_seconds) == (Status.CANCELLED, None, 0.5)


def test_a_job_that_is_late_fails_instead_of_beginning(queue: DurableQueue) -> None:
    late = datetime.now(UTC) - timedelta(seconds=1)
    job_id = queue.submit(make_draft(deadline=late)).job.id
    with pytest.raises(JobExpired):
        queue.begin(job_id, "worker-1")
    job = queue.get(job_id)
    assert job.status is Status.FAILED
    assert job.failure is not None
    assert job.failure.code == "job_expired"


def test_a_deadline_is_for_the_beginning_only(queue: DurableQueue, engine: sa.Engine) -> None:
    job_id = queue.submit(make_draft(deadline=datetime.now(UTC) + HOUR)).job.id
    queue.begin(job_id, "worker-1")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE jobs SET deadline = '2001-01-01'"))
    assert queue.begin(job_id, "worker-1").status is Status.RUNNING


def test_a_job_that_nobody_knows_is_not_found(queue: DurableQueue) -> None:
    for ask in (
        lambda: queue.get("nobody"),
        lambda: queue.cancel("nobody"),
        lambda: queue.begin("nobody", "worker-1"),
        lambda: queue.report("nobody", Stage("decode", 0)),
        lambda: queue.finish("nobody", [], gpu_seconds=0, seconds={}),
        lambda: queue.fail("nobody", Failure("internal_error", "")),
    ):
        with pytest.raises(JobNotFound):
            ask()


def test_the_callback_of_an_end_is_in_line_once(queue: DurableQueue, engine: sa.Engine) -> None:
    url = "https://example.com/hook"
    jobs = [queue.submit(make_draft(callback_url=url)).job.id for _ in range(3)]
    silent = queue.submit(make_draft()).job.id
    run(queue, jobs[0])
    run(queue, silent)
    queue.fail(jobs[1], Failure("internal_error", ""))
    queue.cancel(jobs[2])
    for job_id in jobs:
        queue.cancel(job_id)
        queue.fail(job_id, Failure("internal_error", ""))
    callbacks = {name for name in list_workflows(engine) if name.startswith("cb-")}
    assert callbacks == {callback_id(job_id) for job_id in jobs}


def test_a_callback_can_be_sent_once_more(queue: DurableQueue, engine: sa.Engine) -> None:
    job_id = queue.submit(make_draft(callback_url="https://example.com/hook")).job.id
    run(queue, job_id)
    queue.redeliver(job_id, 1)
    callbacks = [name for name in list_workflows(engine) if name.startswith(callback_id(job_id))]
    assert len(callbacks) == 2


def test_those_who_ask_for_a_callback_at_the_same_moment_get_one_each(
    queue: DurableQueue, engine: sa.Engine
) -> None:
    job_id = queue.submit(make_draft(callback_url="https://example.com/hook")).job.id
    run(queue, job_id)
    with ThreadPoolExecutor(4) as crowd:
        numbers = list(crowd.map(partial(queue.redeliver, job_id), [1] * 4))
    assert sorted(numbers) == [1, 2, 3, 4]
    assert {callback_id(job_id, number) for number in range(5)} <= set(list_workflows(engine))


def test_the_next_try_of_a_callback_waits_for_its_time(
    queue: DurableQueue, engine: sa.Engine
) -> None:
    job_id = queue.submit(make_draft(callback_url="https://example.com/hook")).job.id
    run(queue, job_id)
    for _ in range(2):
        queue.try_again(job_id, 0, 3, datetime.now(UTC) + HOUR)
    workflow = callback_id(job_id, 0, 3)
    assert list_workflows(engine)[workflow] == "DELAYED"
    assert tries_before(workflow) == 3
    assert tries_before(callback_id(job_id, 2)) == 0


def test_no_try_of_a_callback_outlives_its_job(queue: DurableQueue, engine: sa.Engine) -> None:
    queue.try_again("gone", 0, 1, datetime.now(UTC))
    assert list_workflows(engine) == {}
