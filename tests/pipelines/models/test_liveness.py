"""Asking whether the models are alive waits for nothing that they do."""

import threading
import time
from collections.abc import Iterator

import pytest

from pipelines.errors import ModelError
from pipelines.models.audience import Audience
from pipelines.models.batcher import Batcher
from pipelines.models.device import CPU
from pipelines.models.lane import Lane
from pipelines.models.liveness import probe
from tests.pipelines.models.sdxl.scenes import ignore


class Work:
    """One step, of which it tells, and then another that ends when it may."""

    def __init__(self) -> None:
        self.begun, self.free, self.told = (threading.Event() for _ in range(3))
        self.goes_on = threading.Event()

    def __call__(self, items: object, audience: Audience, *, thrifty: bool) -> dict[int, str]:
        self.begun.set()
        assert self.goes_on.wait(10)
        audience.tell(0.5)
        self.told.set()
        assert self.free.wait(10)
        return {0: "done"}


@pytest.fixture
def batcher() -> Iterator[Batcher]:
    with Batcher() as batcher:
        yield batcher


def test_who_is_idle_answers(batcher: Batcher) -> None:
    probe(CPU, batcher)
    assert batcher.silence() == 0


def test_who_is_at_work_answers_as_long_as_it_goes_on(
    batcher: Batcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    caller = threading.Thread(
        target=batcher.call, args=(Lane(work, kind=lambda _: None, rows=1), "x", ignore)
    )
    caller.start()
    try:
        assert work.begun.wait(10)
        probe(CPU, batcher)  # in the middle of a step
        time.sleep(0.3)
        monkeypatch.setattr("pipelines.models.liveness.LONGEST_SILENCE", 0.25)
        with pytest.raises(ModelError, match="at one step for 0 s"):
            probe(CPU, batcher)
        monkeypatch.setattr("pipelines.models.liveness.LONGEST_SILENCE", 60)
        before = batcher.silence()
        work.goes_on.set()
        assert work.told.wait(10)
        assert batcher.silence() < before
        probe(CPU, batcher)
    finally:
        work.goes_on.set()
        work.free.set()
        caller.join()
    assert batcher.silence() == 0
