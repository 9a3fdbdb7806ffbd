"""A Postgres that is away for a while, and what the API, a worker and its job make of that."""

import http.client
import time
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from server.jobs.job import Status
from server.jobs.queue import JobQuery
from tests.server.jobs.postgres import Postgres
from tests.server.work.api_kills import BODY, OWNER, PATH, answers, find_port, start_api
from tests.server.work.kills import HOOK
from tests.server.work.workshop import Workshop, kill

EVERY = 0.5
"""Seconds between two requests."""


class Answer(NamedTuple):
    """What a request got, and after how many seconds."""

    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class OutageTally:
    """What was counted; ``lines`` are those of the logs that are not about one request."""

    away: float
    requests: int
    statuses: dict[int, int]
    slowest: float
    begun: int
    ended: int
    told: int
    worker_lines: int
    api_lines: int
    until_posted: float
    until_done: float

    @property
    def is_clean(self) -> bool:
        """All was refused in time, and the job was painted and told of once."""
        refused = self.statuses == {503: self.requests}
        return refused and (self.begun, self.ended, self.told) == (1, 1, 1)


def endure_outage(workshop: Workshop, postgres: Postgres, *, away: float) -> OutageTally:
    """Take the database away during a job, for ``away`` seconds, while requests come in."""
    port = find_port()
    api = start_api(workshop.settings.model_copy(update={"port": port}))
    workshop.start()
    try:
        workshop.wait_for(lambda: answers(port) and _post(port).status == http.client.CREATED, 60)
        workshop.wait_for(lambda: set(_statuses(workshop)) == {"succeeded"})
        job = workshop.submit(f"sleep {away / 2}", callback_url=HOOK)
        before = workshop.renders("end")
        workshop.wait_for(lambda: workshop.renders("begin")[job.order.seed] == 1)
        marks = [len(_events(workshop, name)) for name in ("worker.log", "api.log")]
        postgres.stop()
        refusals = _ask(port, away)
        postgres.start()
        back = time.monotonic()
        workshop.wait_for(lambda: _post(port).status == http.client.CREATED, 60)
        posted = time.monotonic() - back
        [done] = workshop.wait([job], seconds=60)
        until_done = time.monotonic() - back
        assert done.status is Status.SUCCEEDED
        workshop.wait_for(lambda: job.id in workshop.deliveries(), 60)
        workshop.wait_for(lambda: set(_statuses(workshop)) == {"succeeded"}, 60)
    finally:
        kill(api)
    seed = job.order.seed
    after = [len(_events(workshop, name)) for name in ("worker.log", "api.log")]
    return OutageTally(
        away=away,
        requests=len(refusals),
        statuses=dict(Counter(answer.status for answer in refusals)),
        slowest=round(max(answer.seconds for answer in refusals), 2),
        begun=workshop.renders("begin")[seed],
        ended=workshop.renders("end")[seed] - before[seed],
        told=workshop.deliveries().count(job.id),
        worker_lines=after[0] - marks[0],
        api_lines=after[1] - marks[1],
        until_posted=round(posted, 2),
        until_done=round(until_done, 2),
    )


def _ask(port: int, seconds: float) -> list[Answer]:
    until = time.monotonic() + seconds
    refusals = []
    while time.monotonic() < until:
        refusals.append(_post(port))
        time.sleep(EVERY)
    return refusals


def _post(port: int) -> Answer:
    since = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", PATH, BODY, {"Content-Type": "multipart/form-data; boundary=x"})
        answer = connection.getresponse()
        answer.read()
        return Answer(answer.status, time.monotonic() - since)
    finally:
        connection.close()


def _events(workshop: Workshop, name: str) -> list[str]:
    usual = ('"answered"', '"job ended"', '"callback"')
    return [line for line in workshop.lines(name) if not any(word in line for word in usual)]


def _statuses(workshop: Workshop) -> list[str]:
    return [job.status.value for job in workshop.queue.list(JobQuery(OWNER)).jobs]
