"""The tallies, on a SQLite file and on a real PostgreSQL server."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from server.jobs.job import Failure, Job, Output, Status
from server.jobs.order import Order, SizeTarget, Task
from server.jobs.tallies import (
    DeliveryOutcome,
    Tally,
    count,
    count_all,
    count_delivery,
    count_end,
    read,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = "local/smart-resize"
SQUARE, WIDE = SizeTarget(width=64, height=64), SizeTarget(width=128, height=64)


def make_job(**given: Any) -> Job:
    """Two pictures, each to two sizes in three variants: 12 outputs are asked for."""
    order = Order(sources=("blob:a", "blob:b"), targets=(SQUARE, WIDE), variants=3, seed=7)
    values = {"id": "j1", "owner": "key-1", "model": MODEL, "status": Status.SUCCEEDED}
    return Job(**{**values, "order": order, "created_at": NOON, **given})


def make_output(number: int) -> Output:
    return Output(
        blob=f"outputs/j1/{number}.png",
        file_name="photo.png",
        media_type="image/png",
        width=64,
        height=64,
        bytes=1,
        sha256="ab" * 32,
        source=0,
        target=0,
        variant=number,
        record={},
    )


def read_all(engine: sa.Engine) -> dict[tuple[str, ...], float]:
    """Values by name and the labels' values, which is all that tells them apart here."""
    with engine.connect() as connection:
        return {(each.name, *each.labels.values()): each.value for each in read(connection)}


def end(engine: sa.Engine, job: Job) -> dict[tuple[str, ...], float]:
    with engine.begin() as connection:
        count_end(connection, job)
    return read_all(engine)


def test_what_is_counted_adds_up_however_its_labels_are_ordered(engine: sa.Engine) -> None:
    for labels in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}):
        with engine.begin() as connection:
            count(connection, "seconds", labels, 1.25)
            count(connection, "seconds", {"a": "1", "b": "3"})
    with engine.connect() as connection:
        assert read(connection) == [
            Tally("seconds", {"a": "1", "b": "2"}, 2.5),
            Tally("seconds", {"a": "1", "b": "3"}, 2.0),
        ]


def test_the_same_tally_twice_in_a_batch_counts_twice(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        count_all(connection, [Tally("jobs", {"x": "é"}, 1.0), Tally("jobs", {"x": "é"}, 2.0)])
        count_all(connection, [])
    assert read_all(engine) == {("jobs", "é"): 3.0}


def test_a_commit_that_fails_counts_nothing(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        count_end(connection, make_job())
        connection.rollback()
    assert read_all(engine) == {}


def test_a_job_that_succeeded_is_counted_whole(engine: sa.Engine) -> None:
    job = make_job(
        outputs=tuple(make_output(number) for number in range(11)),
        started_at=NOON + timedelta(seconds=1.5),
        gpu_seconds=2.25,
        seconds={"gather": 0.5, "outpaint": 2.0},
    )
    once = {
        ("jobs", MODEL, "succeeded"): 1.0,
        ("outputs", MODEL, "succeeded"): 11.0,
        ("waits", MODEL): 1.0,
        ("wait_seconds", MODEL): 1.5,
        ("stages", "gather"): 1.0,
        ("stages", "outpaint"): 1.0,
        ("stage_seconds", "gather"): 0.5,
        ("stage_seconds", "outpaint"): 2.0,
        ("gpu_seconds", "key-1"): 2.25,
    }
    assert end(engine, job) == once
    assert end(engine, job) == {key: 2 * value for key, value in once.items()}


def test_a_failure_is_counted_by_its_code_with_what_was_asked_for_in_vain(
    engine: sa.Engine,
) -> None:
    failure = Failure("worker_lost", "it ended its worker", "outpaint")
    job = make_job(status=Status.FAILED, failure=failure, started_at=NOON, gpu_seconds=0.5)
    assert end(engine, job) == {
        ("jobs", MODEL, "failed"): 1.0,
        ("outputs", MODEL, "failed"): 12.0,
        ("failures", "worker_lost"): 1.0,
        ("waits", MODEL): 1.0,
        ("wait_seconds", MODEL): 0.0,
        ("gpu_seconds", "key-1"): 0.5,
    }


def test_a_job_cancelled_in_line_has_neither_waited_nor_used_anything(engine: sa.Engine) -> None:
    assert end(engine, make_job(status=Status.CANCELLED)) == {
        ("jobs", MODEL, "cancelled"): 1.0,
        ("outputs", MODEL, "cancelled"): 12.0,
    }


def test_clocks_that_disagree_make_no_count_fall(engine: sa.Engine) -> None:
    job = make_job(status=Status.CANCELLED, started_at=NOON - timedelta(hours=1))
    assert end(engine, job)["wait_seconds", MODEL] == 0.0


@pytest.mark.parametrize("outcome", DeliveryOutcome)
def test_a_callback_is_counted_by_its_outcome(engine: sa.Engine, outcome: DeliveryOutcome) -> None:
    with engine.begin() as connection:
        count_delivery(connection, outcome)
    assert read_all(engine) == {("callbacks", outcome.value): 1.0}


def test_those_who_count_at_the_same_time_lose_nothing_and_never_lock_each_other(
    engine: sa.Engine,
) -> None:
    both = [Tally("jobs", {"x": "1"}, 1.0), Tally("jobs", {"x": "2"}, 1.0)]

    def count_in_an_order_of_its_own(number: int) -> None:
        with engine.begin() as connection:
            count_all(connection, both if number % 2 else reversed(both))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_in_an_order_of_its_own, range(120)))
    assert read_all(engine) == {("jobs", "1"): 120.0, ("jobs", "2"): 120.0}


def test_plans_are_jobs_but_no_pictures(engine: sa.Engine) -> None:
    plan = make_job().order.model_copy(update={"task": Task.PLAN})
    end(engine, make_job(order=plan, outputs=(make_output(0),)))
    counted = end(engine, make_job(order=plan, status=Status.FAILED))
    assert (counted["jobs", MODEL, "succeeded"], counted["jobs", MODEL, "failed"]) == (1, 1)
    assert (counted["outputs", MODEL, "succeeded"], counted["outputs", MODEL, "failed"]) == (0, 0)
