"""Jobs whose sources lie elsewhere: fetched beside the queue of the device, and in nobody's way."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uuid_utils

from pipelines.fill import Fill
from server.jobs import contract
from server.jobs.job import Job, Status
from server.jobs.order import Order, SizeTarget
from server.work.ledger import Ledger
from tests.server.images.loopback import Server, say_ok, serve
from tests.server.images.test_fetches import Drip
from tests.server.jobs.house import Databases, make_draft
from tests.server.jobs.postgres import Postgres
from tests.server.work.workshop import PICTURE, Workshop, kill


@pytest.fixture
def open_workshop(databases: Databases, tmp_path: Path) -> Iterator[Workshop]:
    """Its workers may ask this machine."""
    url = databases.make(tmp_path)
    workshop = Workshop(tmp_path, url, drain=5, allow_private_hosts=True, allow_http=True)
    yield workshop
    workshop.close()


def submit(workshop: Workshop, server: Server, count: int = 1, **given: object) -> Job:
    """A job of so many sources that ``server`` has."""
    sources = tuple(f"http://127.0.0.1:{server.port}/{number}.png" for number in range(count))
    targets = (SizeTarget(width=24, height=32),)
    order = Order(sources=sources, targets=targets, seed=1, fill=Fill.GENERATE)
    draft = make_draft(id=str(uuid_utils.uuid7()), order=order, **given)
    return workshop.queue.submit(draft).job


def test_sources_that_lie_elsewhere_are_fetched_and_reframed(open_workshop: Workshop) -> None:
    with serve(say_ok(PICTURE)) as server:
        job = submit(open_workshop, server, 6)
        open_workshop.start()
        [done] = open_workshop.wait([job])
    assert done.status is Status.SUCCEEDED, done.failure
    names = [f"{number}-24x32.png" for number in range(6)]
    assert [output.file_name for output in done.outputs] == names


@pytest.mark.slow
def test_sources_are_fetched_over_postgres_too(postgres: Postgres, tmp_path: Path) -> None:
    url = Databases(tmp_path, postgres).make(tmp_path)
    far = Workshop(tmp_path, url, drain=5, allow_private_hosts=True, allow_http=True)
    try:
        with serve(say_ok(PICTURE)) as server:
            jobs = [submit(far, server, owner=f"key{number % 3}") for number in range(9)]
            far.start("cpu")
            far.start("cuda:0")
            done = far.wait(jobs)
        assert [job.status for job in done] == [Status.SUCCEEDED] * 9
    finally:
        far.close()


def test_slow_sources_of_one_key_are_in_nobodys_way(open_workshop: Workshop) -> None:
    drip = Drip()
    many = contract.FETCHES_OF_ONE + 3
    with serve(drip) as slow, serve(say_ok(PICTURE)) as quick:
        dripping = [submit(open_workshop, slow, 3, owner="mallory") for _ in range(many)]
        open_workshop.start()
        assert drip.asked.wait(20)
        others = [open_workshop.submit(), submit(open_workshop, quick)]
        done = open_workshop.wait(others)
        assert [job.status for job in done] == [Status.SUCCEEDED] * 2
        stuck = [open_workshop.queue.get(job.id).status for job in dripping]
        assert stuck == [Status.QUEUED] * many


def test_a_cancelled_job_stops_fetching(open_workshop: Workshop) -> None:
    drip = Drip()
    with serve(drip) as server:
        job = submit(open_workshop, server)
        open_workshop.start()
        assert drip.asked.wait(20)
        assert open_workshop.queue.cancel(job.id).status is Status.CANCELLED
        assert drip.left.wait(10)
    open_workshop.wait_for(
        lambda: open_workshop.workflows()[contract.fetch_id(job.id)] == "SUCCESS"
    )
    assert job.id not in open_workshop.workflows()


def test_fetching_ends_at_the_deadline(open_workshop: Workshop) -> None:
    drip = Drip()
    with serve(drip) as server:
        soon = datetime.now(UTC) + timedelta(seconds=4)
        job = submit(open_workshop, server, deadline=soon)
        open_workshop.start()
        assert drip.asked.wait(20)
        assert drip.left.wait(20)
        [done] = open_workshop.wait([job])
    assert done.failure
    assert done.failure.code == "job_expired"


def test_a_source_that_is_not_there_fails_the_job_by_its_name(open_workshop: Workshop) -> None:
    with serve(lambda wire: wire.sendall(b"HTTP/1.1 404 Gone\r\n\r\n")) as server:
        job = submit(open_workshop, server, 2, callback_url="https://example.com/hook")
        open_workshop.start()
        [done] = open_workshop.wait([job])
    assert done.failure
    assert done.failure.code == "source_unavailable"
    assert done.failure.message.startswith("source ")
    assert done.failure.message.endswith(".png): the address answered with status 404")
    open_workshop.wait_for(lambda: open_workshop.deliveries() == [job.id])


@pytest.mark.slow
def test_a_worker_that_is_killed_while_it_fetches_loses_nothing(open_workshop: Workshop) -> None:
    drip = Drip()
    with serve(drip) as slow:
        job = submit(open_workshop, slow)
        worker = open_workshop.start()
        assert drip.asked.wait(20)
        slow.script = say_ok(PICTURE)
        kill(worker)
        open_workshop.start()
        [done] = open_workshop.wait([job])
    assert done.status is Status.SUCCEEDED, done.failure


def test_what_was_fetched_for_is_forgotten_with_its_job(open_workshop: Workshop) -> None:
    with serve(say_ok(PICTURE)) as server:
        job = submit(open_workshop, server)
        beside = Ledger(open_workshop.engine).beside([job.id])
    assert beside == [contract.fetch_id(job.id)]
