"""The workflows, whose names and steps are the contract with the database."""

from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from dbos import DBOS

from pipelines.errors import ReframeError
from server.errors import JobNotFound, OrderUnreadable, WorkerLost
from server.images.gather import Gathered
from server.jobs import contract
from server.jobs.job import Failure, Job
from server.jobs.outage import insist
from server.jobs.table import read_failure, read_output
from server.jobs.tries import BACKSTOP
from server.work.bench import Bench, explain
from server.work.fetching import fetch
from server.work.reframing import Reframing

log = structlog.get_logger("server.work")


def register_workflows(bench: Bench) -> None:
    """Give DBOS the code of the workflows; before it is launched."""

    @DBOS.workflow(name=contract.FETCH_SOURCES, max_recovery_attempts=BACKSTOP)
    def fetch_sources(job_id: str) -> None:
        with structlog.contextvars.bound_contextvars(job=job_id), suppress(JobNotFound):
            fetch(bench, job_id)

    @DBOS.workflow(name=contract.REFRAME_JOB, max_recovery_attempts=BACKSTOP)
    def reframe_job(job_id: str) -> None:
        suspect = insist(partial(bench.tries.read, job_id)) > 0
        with (
            structlog.contextvars.bound_contextvars(job=job_id),
            bench.gate.enter(job_id, alone=suspect),
            suppress(JobNotFound),  # its row was deleted
        ):
            job = _take_up(bench, job_id)
            if job is not None:
                _carry_out(bench, job)

    @DBOS.workflow(name=contract.DELIVER_CALLBACK, max_recovery_attempts=BACKSTOP)
    def deliver_callback(job_id: str, number: int) -> None:
        with structlog.contextvars.bound_contextvars(job=job_id):
            _tell(bench, job_id, number, contract.tries_before(DBOS.workflow_id or ""))

    del fetch_sources, reframe_job, deliver_callback  # DBOS knows them by name


def _take_up(bench: Bench, job_id: str) -> Job | None:
    """The job, with one more try; None if it is over or is given up."""
    job = insist(partial(bench.queue.get, job_id))
    if job.status.is_final:
        return None
    if insist(partial(bench.tries.read, job_id)) >= bench.most_tries:
        log.error("job given up: it ended its worker again and again")
        lost = WorkerLost()
        insist(partial(bench.queue.fail, job_id, Failure(lost.code, lost.detail)))
        return None
    if not job.is_readable:
        log.error("job given up: a newer version of this program took it")
        unreadable = OrderUnreadable()
        insist(partial(bench.queue.fail, job_id, Failure(unreadable.code, unreadable.detail)))
        return None
    insist(partial(bench.tries.add, job_id))
    return job


def _carry_out(bench: Bench, job: Job) -> None:
    try:
        reframing = Reframing(bench, job)
    except ReframeError as error:  # an order that an older version took
        insist(partial(bench.queue.fail, job.id, explain(error, job.id, "plan")))
        return
    gathered: dict[str, Any] = DBOS.run_step({"name": "gather"}, reframing.gather)
    done: list[dict[str, Any]] = [gathered]
    sources = [Gathered(*source) for source in gathered.get("sources", ())]
    for number, source in enumerate(sources):
        done.append(
            DBOS.run_step({"name": "render"}, reframing.render, number, source, len(sources))
        )
        if "failure" in done[-1]:
            break
        if number == 0:
            reframing.follow(done[-1])
    insist(partial(_end, bench, job, done))
    if job.order.volatile:
        reframing.forget_sources()


def _end(bench: Bench, job: Job, done: list[dict[str, Any]]) -> None:
    """Write down what came of the job: all steps' outputs, or the failure of the last one."""
    gpu_seconds = sum(step.get("gpu_seconds", 0.0) for step in done)
    if "failure" in done[-1]:
        failure = read_failure(done[-1]["failure"])
        ended = bench.queue.fail(job.id, failure, gpu_seconds=gpu_seconds)
        log.info("job ended", status=ended.status.value, code=failure.code)
        return
    seconds: dict[str, float] = {}
    for step in done:
        for name, value in step["seconds"].items():
            seconds[name] = round(seconds.get(name, 0.0) + value, 4)
    outputs = [read_output(output) for step in done for output in step.get("outputs", ())]
    ended = bench.queue.finish(job.id, outputs, gpu_seconds=gpu_seconds, seconds=seconds)
    log.info("job ended", status=ended.status.value, outputs=len(outputs))


def _tell(bench: Bench, job_id: str, number: int, past: int) -> None:
    """Make one try; the next one is another workflow, so that no pause holds a place."""
    try:
        with suppress(JobNotFound):
            job = insist(partial(bench.queue.get, job_id))
            again = insist(partial(bench.deliver, job, number, past))
            if again is not None:
                insist(partial(bench.queue.try_again, job_id, number, *again))
    except Exception:
        log.exception("callback failed")
