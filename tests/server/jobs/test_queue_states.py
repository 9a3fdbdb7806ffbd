"""Whatever order the verbs come in: no final job changes, none is lost, none has two ends."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import booleans, floats, sampled_from

from pipelines.errors import JobCancelled
from server.database.engine import open_database
from server.errors import QueueFull
from server.jobs.contract import callback_id
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Failure, Job, Stage, Status
from server.jobs.queue import JobQuery
from tests.server.jobs.house import Databases, count_jobs, make_draft
from tests.server.jobs.test_durable_queue import list_workflows

BOUND = 6

NEXT = {
    Status.QUEUED: {Status.RUNNING, Status.FAILED, Status.CANCELLED},
    Status.RUNNING: {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED},
}


class Verbs(RuleBasedStateMachine):
    """Any verb on any job at any time, as several workers and callers would."""

    databases: Databases
    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.engine = open_database(self.databases.make_quickly(self.folder))
        self.queue = DurableQueue(self.engine, bound=BOUND)
        self.seen: dict[str, Job] = {}
        self.stopping: set[str] = set()

    def teardown(self) -> None:
        self.engine.dispose()
        shutil.rmtree(self.folder)

    @rule(target=jobs, called_back=booleans())
    def submit(self, called_back: bool) -> Any:
        draft = make_draft(callback_url="https://example.com" if called_back else None)
        waiting = sum(job.status is Status.QUEUED for job in self.seen.values())
        try:
            job = self.queue.submit(draft).job
        except QueueFull:
            assert waiting == BOUND
            return multiple()
        assert waiting < BOUND
        self.seen[job.id] = job
        return job.id

    @rule(job=jobs, worker=sampled_from(["worker-1", "worker-2"]))
    def begin(self, job: str, worker: str) -> None:
        may = not self.seen[job].status.is_final and job not in self.stopping
        try:
            assert self.queue.begin(job, worker).worker == worker
        except JobCancelled:
            assert not may
        else:
            assert may

    @rule(job=jobs, fraction=floats(0, 1))
    def report(self, job: str, fraction: float) -> None:
        stops = self.seen[job].status.is_final or job in self.stopping
        try:
            self.queue.report(job, Stage("outpaint", fraction))
        except JobCancelled:
            assert stops
        else:
            assert not stops

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        before = self.seen[job].status
        after = self.queue.cancel(job).status
        assert after is (Status.CANCELLED if before is Status.QUEUED else before)
        if before is Status.RUNNING:
            self.stopping.add(job)

    @rule(job=jobs, seconds=floats(0, 9))
    def finish(self, job: str, seconds: float) -> None:
        before = self.seen[job].status
        after = self.queue.finish(job, [], gpu_seconds=seconds, seconds={}).status
        assert after is (Status.SUCCEEDED if before is Status.RUNNING else before)

    @rule(job=jobs, code=sampled_from(["image_undecodable", "job_cancelled"]))
    def fail(self, job: str, code: str) -> None:
        before = self.seen[job].status
        after = self.queue.fail(job, Failure(code, "text")).status
        end = Status.CANCELLED if code == "job_cancelled" else Status.FAILED
        assert after is (before if before.is_final else end)

    @rule(job=consumes(jobs))
    def leave_alone(self, job: str) -> None:
        """Nobody touches it any more."""

    @invariant()
    def nothing_is_lost_and_nothing_final_changes(self) -> None:
        page = self.queue.list(JobQuery("anna", limit=500))
        now = {job.id: job for job in page.jobs}
        assert now.keys() == self.seen.keys()
        for name, before in self.seen.items():
            if before.status.is_final:
                assert now[name] == before
            else:
                assert now[name].status in {before.status, *NEXT[before.status]}
        self.seen = now
        self.every_end_has_one_callback_and_every_job_one_workflow()
        self.the_line_has_no_gap()

    def every_end_has_one_callback_and_every_job_one_workflow(self) -> None:
        workflows = list_workflows(self.engine).keys()
        ended = [job for job in self.seen.values() if job.status.is_final and job.callback_url]
        assert workflows == self.seen.keys() | {callback_id(job.id) for job in ended}
        with self.engine.connect() as connection:
            assert sum(count_jobs(connection).values()) == len(self.seen)

    def the_line_has_no_gap(self) -> None:
        waiting = [job for job in self.seen.values() if job.status is Status.QUEUED]
        assert sorted(job.position or 0 for job in waiting) == list(range(len(waiting)))


def test_the_verbs_hold_in_any_order(databases: Databases) -> None:
    Verbs.databases = databases
    run_state_machine_as_test(
        Verbs,
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
