"""Reading jobs: pages, positions, counts."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Failure, Status
from server.jobs.order import Task
from server.jobs.queue import JobQuery
from server.jobs.selection import count_unfinished, read_usage
from server.jobs.tallies import JOBS, read
from tests.server.jobs.house import count_jobs, make_draft
from tests.server.jobs.test_durable_queue import make_output, run


def test_the_position_counts_who_goes_first(queue: DurableQueue) -> None:
    names = {}
    for name, priority in [("a", 5), ("b", 5), ("urgent", 1), ("idle", 9)]:
        names[name] = queue.submit(make_draft(priority=priority)).job.id
    line = ["urgent", "a", "b", "idle"]
    assert [queue.get(names[name]).position for name in line] == [0, 1, 2, 3]
    listed = {job.id: job.position for job in queue.list(JobQuery("anna")).jobs}
    assert [listed[names[name]] for name in line] == [0, 1, 2, 3]
    queue.begin(names["urgent"], "worker-1")
    assert queue.get(names["b"]).position == 1


def test_positions_count_everybodys_jobs_and_what_begins_meanwhile(queue: DurableQueue) -> None:
    owners = ("bert", "anna", "bert", "bert", "bert", "anna", "bert", "anna")
    for number, owner in enumerate(owners):
        queue.submit(make_draft(owner=owner, priority=9 - number % 3))
    queue.begin(queue.submit(make_draft(priority=1)).job.id, "worker-1")
    found = {job.id: job.position for job in queue.list(JobQuery("anna")).jobs}
    assert len(found) == 4
    assert found == {job_id: queue.get(job_id).position for job_id in found}
    assert sorted(place for place in found.values() if place is not None) == [1, 2, 4]


def test_a_list_has_every_job_once_the_newest_first(queue: DurableQueue) -> None:
    ids = [queue.submit(make_draft()).job.id for _ in range(7)]
    queue.submit(make_draft(owner="bert"))
    seen, cursor = [], None
    for expected in (3, 3, 1):
        page = queue.list(JobQuery("anna", limit=3, cursor=cursor))
        assert len(page.jobs) == expected
        queue.submit(make_draft())  # newer ones do not shift the pages
        seen += [job.id for job in page.jobs]
        cursor = page.cursor
    assert cursor is None
    assert seen == ids[::-1]


def test_a_list_can_be_narrowed(queue: DurableQueue) -> None:
    done = queue.submit(make_draft(client_ref="50%_off")).job.id
    run(queue, done)
    waiting = queue.submit(make_draft(model="runflow/outpaint", client_ref="50 more")).job.id

    def find(**wish: object) -> list[str]:
        return [job.id for job in queue.list(JobQuery("anna", **wish)).jobs]  # type: ignore[arg-type]

    assert find(status=Status.SUCCEEDED) == [done]
    assert find(text="runflow/") == [waiting]
    assert find(text="50%_") == [done]
    assert find(text=waiting) == [waiting]
    assert find(text="off") == []
    assert find(text="50", status=Status.QUEUED) == [waiting]


def test_a_page_of_one_task_is_full_however_many_of_another_lie_between(
    queue: DurableQueue,
) -> None:
    order = make_draft().order.model_copy(update={"task": Task.PLAN})
    runs, plans = [], []
    for _ in range(3):
        runs.append(queue.submit(make_draft()).job.id)
        plans += [queue.submit(make_draft(order=order)).job.id for _ in range(2)]
    first = queue.list(JobQuery("anna", limit=2, task=Task.REFRAME))
    second = queue.list(JobQuery("anna", limit=2, task=Task.REFRAME, cursor=first.cursor))
    assert [job.id for page in (first, second) for job in page.jobs] == runs[::-1]
    assert second.cursor is None
    assert [job.id for job in queue.list(JobQuery("anna", task=Task.PLAN)).jobs] == plans[::-1]
    assert len(queue.list(JobQuery("anna")).jobs) == 9


def test_usage_is_counted_once_for_each_job(queue: DurableQueue, engine: sa.Engine) -> None:
    for _ in range(2):
        job_id = queue.submit(make_draft()).job.id
        run(queue, job_id)
        run_again = queue.finish(job_id, [make_output()], gpu_seconds=99, seconds={})
        assert run_again.gpu_seconds == 1.5
    queue.fail(queue.submit(make_draft()).job.id, Failure("internal_error", ""), gpu_seconds=0.5)
    with engine.connect() as connection:
        today = datetime.now(UTC).date()
        [usage] = read_usage(connection, "anna", today - timedelta(days=1))
    assert (usage.jobs, usage.outputs, usage.gpu_seconds) == (3, 2, 3.5)


def test_jobs_are_counted_by_status_and_by_owner(queue: DurableQueue, engine: sa.Engine) -> None:
    run(queue, queue.submit(make_draft()).job.id)
    queue.begin(queue.submit(make_draft()).job.id, "worker-1")
    queue.submit(make_draft())
    queue.submit(make_draft(owner="bert"))
    with engine.connect() as connection:
        counts = count_jobs(connection)
        assert (counts[Status.QUEUED], counts[Status.RUNNING]) == (2, 1)
        assert (counts[Status.SUCCEEDED], counts[Status.FAILED]) == (1, 0)
        assert count_unfinished(connection, "anna") == 2


def test_every_end_is_tallied_once(queue: DurableQueue, engine: sa.Engine) -> None:
    job_id = queue.submit(make_draft()).job.id
    run(queue, job_id)
    queue.fail(job_id, Failure("internal_error", ""))
    queue.cancel(queue.submit(make_draft()).job.id)
    with engine.connect() as connection:
        ends = {
            tally.labels["outcome"]: tally.value for tally in read(connection) if tally.name == JOBS
        }
    assert ends == {"succeeded": 1, "cancelled": 1}
