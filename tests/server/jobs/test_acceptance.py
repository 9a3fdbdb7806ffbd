"""Which jobs are taken: as many as there is room for, and each request once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from server.errors import IdempotencyConflict, QueueFull
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Status
from server.jobs.queue import JobQuery, Submission
from tests.server.jobs.house import make_draft
from tests.server.jobs.test_durable_queue import list_workflows


def test_a_full_queue_keeps_nothing(engine: sa.Engine) -> None:
    queue = DurableQueue(engine, bound=2)
    kept = {queue.submit(make_draft()).job.id for _ in range(2)}
    with pytest.raises(QueueFull) as refusal:
        queue.submit(make_draft(callback_url="https://example.com"))
    assert refusal.value.retry_after > 0
    assert set(list_workflows(engine)) == kept
    assert {job.id for job in queue.list(JobQuery("anna")).jobs} == kept


def test_running_jobs_leave_room_in_the_queue(engine: sa.Engine) -> None:
    queue = DurableQueue(engine, bound=1)
    queue.begin(queue.submit(make_draft()).job.id, "worker-1")
    assert queue.submit(make_draft()).is_new


def test_the_bound_holds_for_those_who_come_together(engine: sa.Engine) -> None:
    queue = DurableQueue(engine, bound=5)

    def come(_: int) -> bool:
        try:
            return queue.submit(make_draft()).is_new
        except QueueFull:
            return False

    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(come, range(20))) == 5


def test_the_same_request_is_answered_by_the_same_job(queue: DurableQueue) -> None:
    first = queue.submit(make_draft(idempotency="k", fingerprint="f")).job
    again = queue.submit(make_draft(idempotency="k", fingerprint="f"))
    assert again == Submission(first, is_new=False)


def test_a_full_queue_still_answers_the_same_request(engine: sa.Engine) -> None:
    queue = DurableQueue(engine, bound=1)
    first = queue.submit(make_draft(idempotency="k", fingerprint="f")).job
    assert not queue.submit(make_draft(idempotency="k", fingerprint="f")).is_new
    assert queue.get(first.id).status is Status.QUEUED


def test_another_request_with_the_same_key_is_a_conflict(queue: DurableQueue) -> None:
    queue.submit(make_draft(idempotency="k", fingerprint="f"))
    with pytest.raises(IdempotencyConflict):
        queue.submit(make_draft(idempotency="k", fingerprint="other"))


def test_idempotency_is_a_matter_of_one_owner(queue: DurableQueue) -> None:
    queue.submit(make_draft(idempotency="k", fingerprint="f"))
    assert queue.submit(make_draft(owner="bert", idempotency="k", fingerprint="g")).is_new


def test_a_hundred_at_once_are_one_job(queue: DurableQueue, engine: sa.Engine) -> None:
    def come(_: int) -> Submission:
        return queue.submit(make_draft(idempotency="k", fingerprint="f"))

    with ThreadPoolExecutor(16) as crowd:
        submissions = list(crowd.map(come, range(100)))
    assert sum(submission.is_new for submission in submissions) == 1
    assert len({submission.job.id for submission in submissions}) == 1
    assert len(list_workflows(engine)) == 1
