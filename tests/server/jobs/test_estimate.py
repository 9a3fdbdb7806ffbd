"""How long a painting would take: the arithmetic, and what of the latest jobs it is made from."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines.engine import Mode
from pipelines.geometry import Size
from server.jobs.durable_queue import DurableQueue
from server.jobs.estimate import LATEST, Spent, estimate, read_history
from server.jobs.job import Output
from server.jobs.order import Task
from tests.drawings import center
from tests.server.jobs.house import make_draft

PLAIN = center(Size(1000, 1000), Size(1000, 1000))
WIDER = center(Size(1000, 500), Size(1000, 1000))
"""1 megapixel of canvas, in two passes."""


def make_output(source: int = 0, **record: Any) -> Output:
    told = {"engine": "sdxl", "mode": "fast", "fill": "generate", "plan": WIDER.to_json(), **record}
    return Output("b", "a.png", "image/png", 8, 8, 1, "ab", source, 0, 0, told)


def end(queue: DurableQueue, *outputs: Output, task: Task = Task.REFRAME, **seconds: float) -> None:
    order = make_draft().order.model_copy(update={"task": task})
    job = queue.submit(make_draft(order=order)).job
    queue.begin(job.id, "worker-1")
    queue.finish(job.id, outputs, gpu_seconds=1.0, seconds=seconds)


def test_a_painting_takes_a_look_and_so_much_for_every_megapixel_and_pass() -> None:
    assert len(WIDER.passes) == 2
    history = [Spent(2, 1.0, 4.0, 6.0), Spent(1, 0.2, 1.0, 4.0), Spent(1, 0.4)]
    assert estimate(history, PLAIN) == pytest.approx(1.6 / 4)
    assert estimate(history, WIDER) == pytest.approx(1.6 / 4 + 2 * 10 / 5)


def test_without_history_nobody_knows() -> None:
    assert estimate([], PLAIN) is None
    looks_alone = [Spent(1, 0.5)]
    assert estimate(looks_alone, PLAIN) == 0.5
    assert estimate(looks_alone, WIDER) is None


def test_history_is_of_the_same_engine_and_mode(engine: sa.Engine, queue: DurableQueue) -> None:
    tried = [{"seed": 1}, {"seed": 2}]
    end(queue, make_output(), make_output(1, attempts=tried), describe=1.0, outpaint=3.0, refine=2)
    end(queue, make_output(fill="solid"), describe=0.5, outpaint=0.1)
    end(queue, make_output(mode="quality"), describe=9.0, outpaint=9.0)
    end(queue, make_output(engine="preview"), describe=9.0, outpaint=9.0)
    end(queue, describe=9.0)
    queue.submit(make_draft())
    with engine.connect() as connection:
        history = read_history(connection, "sdxl", Mode.FAST)
    assert history == [Spent(1, 0.5), Spent(2, 1.0, 6.0, 5.0)]


def test_many_looks_do_not_hide_what_painting_took(engine: sa.Engine, queue: DurableQueue) -> None:
    end(queue, make_output(), describe=1.0, outpaint=3.0)
    for _ in range(LATEST):
        end(queue, make_output(fill=None), task=Task.PLAN, describe=1.0)
    with engine.connect() as connection:
        history = read_history(connection, "sdxl", Mode.FAST)
    assert history == [Spent(1, 1.0, 2.0, 3.0), *LATEST * [Spent(1, 1.0)]]


def test_jobs_of_before_are_no_trouble(engine: sa.Engine, queue: DurableQueue) -> None:
    end(queue, replace(make_output(), record={}), describe=1.0)
    with engine.connect() as connection:
        assert read_history(connection, "sdxl", Mode.FAST) == []
