"""Nothing is kept longer than it may be, and nothing less long."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from pipelines.errors import ReframeError
from server.access.key_store import KeyStore
from server.errors import BlobMissing, JobNotFound, StorageFull
from server.images.store import ImageStore
from server.jobs.job import Failure, Job, Status
from server.jobs.table import JOBS
from server.jobs.workers import Beat, beat, live_workers
from server.settings import TEN_YEARS, Settings
from server.work.fittings import open_fittings
from server.work.ledger import Ledger
from server.work.retention import REMAINS, Retention
from tests.server.work.kills import HOOK
from tests.server.work.workshop import Workshop

DAY = timedelta(days=1)


def make_retention(
    workshop: Workshop, store: ImageStore | None = None, own: Mapping[str, timedelta] | None = None
) -> Retention:
    return Retention(
        workshop.engine,
        Ledger(workshop.engine),
        store or workshop.store,
        DAY,
        own=lambda: own or {},
    )


def end(workshop: Workshop, job: Job, ago: timedelta) -> None:
    """Let the job have failed some time ago, with a picture that was made before."""
    workshop.store.put(f"outputs/{job.id}/0.png", b"picture")
    workshop.queue.fail(job.id, Failure("internal_error", ""))
    with workshop.engine.begin() as connection:
        ended = JOBS.update().where(JOBS.c.id == job.id)
        connection.execute(ended.values(finished_at=datetime.now(UTC) - ago))


def is_kept(workshop: Workshop, job: Job) -> bool:
    """Whether the job is there with everything; else there must be nothing of it."""
    try:
        workshop.queue.get(job.id)
    except JobNotFound:
        assert not [name for name in workshop.workflows() if job.id in name]
        for blob in (f"outputs/{job.id}/0.png", f"sources/{job.id}/given0"):
            with pytest.raises(BlobMissing):
                workshop.store.read(blob)
        return False
    assert workshop.store.read(f"sources/{job.id}/given0")
    assert job.id in workshop.workflows()
    return True


def test_a_job_goes_when_its_time_is_over(workshop: Workshop) -> None:
    old, young, waiting = (workshop.submit(callback_url=HOOK) for _ in range(3))
    end(workshop, old, DAY * 1.01)
    workshop.queue.redeliver(old.id, 1)
    end(workshop, young, DAY * 0.99)
    assert make_retention(workshop).go_round() == 1
    assert [is_kept(workshop, job) for job in (old, young, waiting)] == [False, True, True]
    assert make_retention(workshop).go_round() == 0


def test_an_owner_may_have_another_time(workshop: Workshop) -> None:
    brief, lasting = workshop.submit(owner="brief"), workshop.submit(owner="lasting")
    usual = workshop.submit()
    for job in (brief, lasting, usual):
        end(workshop, job, DAY / 2)
    own = {"brief": DAY / 4, "lasting": DAY * 9}
    make_retention(workshop, own=own).go_round()
    assert [is_kept(workshop, job) for job in (brief, lasting, usual)] == [False, True, True]


def test_many_jobs_go_in_one_round(workshop: Workshop) -> None:
    jobs = [workshop.submit() for _ in range(5)]
    for job in jobs:
        end(workshop, job, 2 * DAY)
    assert make_retention(workshop).go_round() == 5
    assert workshop.workflows() == {}


class Stubborn:
    """A store that cannot delete at the moment."""

    def __init__(self, store: ImageStore, error: type[ReframeError]) -> None:
        self._error = error
        self.put, self.read, self.check = store.put, store.read, store.check

    def delete(self, prefix: str) -> int:
        raise self._error


def test_pictures_that_could_not_be_deleted_are_not_forgotten(workshop: Workshop) -> None:
    job = workshop.submit()
    end(workshop, job, 2 * DAY)
    make_retention(workshop, Stubborn(workshop.store, StorageFull)).go_round()
    with pytest.raises(JobNotFound):
        workshop.queue.get(job.id)
    assert workshop.store.read(f"outputs/{job.id}/0.png")
    make_retention(workshop).go_round()
    assert not is_kept(workshop, job)
    with workshop.engine.connect() as connection:
        assert connection.execute(sa.select(REMAINS)).all() == []


class Interrupted(BaseException):
    """The process is killed here."""


class Fuse:
    """Blows at the call that it is set to."""

    left = 0

    def burn(self, _: str = "") -> None:
        self.left -= 1
        if self.left < 0:
            raise Interrupted


def test_a_sweep_that_is_killed_anywhere_leaves_nothing_behind(workshop: Workshop) -> None:
    store, fuse = workshop.store, Fuse()

    class Mortal(Stubborn):
        def delete(self, prefix: str) -> int:
            fuse.burn()
            return store.delete(prefix)

    for left in range(12):
        fuse.left = left
        jobs = [workshop.submit(callback_url=HOOK) for _ in range(2)]
        for job in jobs:
            end(workshop, job, 2 * DAY)
        mortal = make_retention(workshop, Mortal(store, StorageFull))
        try:
            replace(mortal, forget=fuse.burn).go_round()
        except Interrupted:
            make_retention(workshop).go_round()
        assert not any(is_kept(workshop, job) for job in jobs)
    assert fuse.left > 0, "the last sweep was not killed, so all places were tried"


def test_what_is_in_memory_goes_early_while_its_job_stays(workshop: Workshop) -> None:
    job, other = workshop.submit_volatile(), workshop.submit()
    name = f"volatile/outputs/{job.id}/0.png"
    workshop.store.put(name, b"picture")
    for each in (job, other):
        end(workshop, each, timedelta(minutes=50))
    make_retention(workshop).go_round()
    assert workshop.store.read(name)
    end(workshop, job, timedelta(minutes=70))
    end(workshop, other, timedelta(minutes=70))
    make_retention(workshop).go_round()
    with pytest.raises(BlobMissing):
        workshop.store.read(name)
    assert workshop.queue.get(job.id).status is Status.FAILED
    assert is_kept(workshop, other)


def test_other_rooms_are_told(workshop: Workshop, tmp_path: Path) -> None:
    job = workshop.submit()
    end(workshop, job, 2 * DAY)
    forgotten: list[str] = []
    swept: list[datetime] = []
    Retention(
        workshop.engine,
        Ledger(workshop.engine),
        workshop.store,
        DAY,
        forget=forgotten.append,
        sweep=swept.append,
    ).go_round()
    assert forgotten == [job.id]
    assert abs(datetime.now(UTC) - DAY - swept[0]) < timedelta(minutes=1)


def test_a_worker_that_is_long_gone_has_no_row_any_more(workshop: Workshop) -> None:
    beat(workshop.engine, Beat("cpu-1", "cpu", "preview", 1))
    make_retention(workshop).go_round()
    assert len(live_workers(workshop.engine, 9 * DAY)) == 1
    with workshop.engine.begin() as connection:
        connection.execute(sa.text("UPDATE workers SET seen_at = '2001-01-01 00:00:00.000000'"))
    make_retention(workshop).go_round()
    with workshop.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM workers")).scalar() == 0


def test_a_key_that_keeps_for_ever_stops_no_sweep(workshop: Workshop) -> None:
    KeyStore(workshop.engine).create("archive", retention=10**18)
    fittings = open_fittings(workshop.settings, workshop.engine)
    job = workshop.submit()
    end(workshop, job, ago=2 * DAY)
    assert make_retention(workshop, own=fittings.own()).go_round() == 1
    assert not is_kept(workshop, job)


@pytest.mark.parametrize("name", ["retention", "link_lifetime"])
def test_nothing_can_be_set_to_last_longer_than_a_calendar_reaches(name: str) -> None:
    longest = Settings.model_validate({name: TEN_YEARS})
    assert datetime.now(UTC) - timedelta(seconds=getattr(longest, name)) < datetime.now(UTC)
    with pytest.raises(ValidationError, match="less than or equal"):
        Settings.model_validate({name: TEN_YEARS + 1})
