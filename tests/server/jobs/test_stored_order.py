"""Programs of two versions read each other's orders, as far as that is possible."""

from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.codec.encode import Format
from pipelines.rules import Policy
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Failure, Status
from server.jobs.order import ExpansionTarget, FrameTarget, Order, OrderRules, SizeTarget
from server.jobs.queue import JobQuery
from server.jobs.stored_order import read_order, write_order
from server.jobs.table import JOBS, read_failure, read_output
from tests.server.jobs.first_order import FIRST_ORDER
from tests.server.jobs.house import make_draft
from tests.server.jobs.test_durable_queue import make_output

SMALL: dict[str, Any] = {
    "sources": ["blob:uploads/x/0"],
    "targets": [{"kind": "size", "width": 64, "height": 64}],
    "seed": 7,
}
LARGE = Order(
    sources=("blob:uploads/x/0", "https://example.com/a.jpg"),
    targets=(
        SizeTarget(width=64, height=32, preset="feed", keep_clear=((0, 0.8, 1, 1),)),
        FrameTarget(aspect="16:9"),
        ExpansionTarget(left=10.0),
    ),
    seed=7,
    rules=OrderRules(policy=Policy.CROP, protect=((0.1, 0.1, 0.5, 0.5),)),
    plan={"kind": "free", "place": {"left": 0}},
    variants=3,
    format=Format.JPEG,
)


def test_what_has_its_default_is_not_in_the_way_of_older_programs() -> None:
    order = Order(sources=("blob:uploads/x/0",), targets=(SizeTarget(width=64, height=64),), seed=7)
    assert write_order(order) == SMALL


def test_what_was_not_written_means_today_what_it_meant_then() -> None:
    assert read_order(SMALL) == read_order(FIRST_ORDER)


@pytest.mark.parametrize("order", [LARGE, Order.model_validate(SMALL)])
def test_an_order_comes_back_as_it_was(order: Order) -> None:
    assert read_order(write_order(order)) == (order, True)


@pytest.mark.parametrize(
    ("newer", "known"),
    [
        ({"halo": 3}, SMALL),
        ({"mode": "dreamy", "variants": 2}, {**SMALL, "variants": 2}),
        ({"rules": {"tilt": 4}, "format": "webp"}, {**SMALL, "format": "webp"}),
        ({"seed": "always"}, {**SMALL, "seed": 0}),
        (
            {"targets": [{"kind": "cube", "side": 9}, *SMALL["targets"]]},
            {**SMALL, "targets": [{"kind": "size", "width": 1, "height": 1}, *SMALL["targets"]]},
        ),
    ],
)
def test_of_a_newer_order_all_is_kept_that_is_known(
    newer: dict[str, Any], known: dict[str, Any]
) -> None:
    assert read_order({**SMALL, **newer}) == (Order.model_validate(known), False)


@pytest.mark.parametrize("found", [None, [], "x", {}, {"targets": 3, "sources": {}}])
def test_nothing_that_stands_in_a_row_breaks_who_reads_it(found: object) -> None:
    assert not read_order(found).is_whole


def write_newer(engine: sa.Engine, job_id: str) -> None:
    with engine.begin() as connection:
        newer = JOBS.update().where(JOBS.c.id == job_id)
        connection.execute(newer.values(order={**SMALL, "halo": 3}))


def test_a_job_of_a_newer_program_is_shown_listed_cancelled_and_failed(
    queue: DurableQueue, engine: sa.Engine
) -> None:
    jobs = [queue.submit(make_draft(callback_url="https://example.com")).job for _ in range(2)]
    for job in jobs:
        write_newer(engine, job.id)
    seen = queue.get(jobs[0].id)
    assert (seen.is_readable, seen.status, seen.position) == (False, Status.QUEUED, 0)
    assert seen.order == jobs[0].order
    assert len(queue.list(JobQuery("anna")).jobs) == 2
    assert queue.cancel(jobs[0].id).status is Status.CANCELLED
    assert not queue.begin(jobs[1].id, "worker-1").is_readable
    assert queue.fail(jobs[1].id, Failure("order_unreadable", "")).status is Status.FAILED


def test_what_a_newer_program_says_of_outputs_and_failures_is_left_out() -> None:
    output = make_output()
    newer = {field: getattr(output, field) for field in output.__dataclass_fields__}
    assert read_output({**newer, "layers": 3}) == output
    assert read_failure({"code": "x", "message": "y", "step": None, "hint": "z"}) == Failure(
        "x", "y"
    )
