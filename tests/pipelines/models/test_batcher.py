"""Many threads, one device: who shares a batch, and that only closing ends the batcher."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from pipelines.errors import DeviceFailed, JobCancelled, ModelError, OutOfMemory
from pipelines.models.audience import Audience
from pipelines.models.batcher import Batcher
from pipelines.models.lane import Lane
from tests.pipelines.models.sdxl.scenes import ignore

SOON = 10.0
"""Longer than anything here takes, s; a test that waits for it has failed."""


class Device:
    """Turns words into capitals; may be told to wait before it does."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.threads: set[str] = set()
        self.free = threading.Event()
        self.busy = threading.Event()
        self.free.set()

    def __call__(
        self, words: Sequence[str], audience: Audience, *, thrifty: bool
    ) -> dict[int, str]:
        self.batches.append(list(words))
        self.threads.add(threading.current_thread().name)
        self.busy.set()
        assert self.free.wait(SOON)
        return {number: words[number].upper() for number in audience.tell(1.0)}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


@pytest.fixture
def device() -> Device:
    return Device()


@pytest.fixture
def lane(device: Device) -> Lane[str, str]:
    """Words of one length go together, at most four."""
    return Lane(device, len, rows=4)


@contextmanager
def kept_busy(device: Device, batcher: Batcher, pool: ThreadPoolExecutor) -> Iterator[None]:
    """Have a batch of its own on the device for as long as the block lasts."""
    device.free.clear()
    blocker = pool.submit(batcher.call, Lane(device, len, rows=1), "blocker", ignore)
    assert device.busy.wait(SOON)
    try:
        yield
    finally:
        device.free.set()
        assert blocker.result(SOON) == "BLOCKER"


def wait_for(batcher: Batcher, guests: int) -> None:
    """Until so many calls are waiting."""
    end = time.monotonic() + SOON
    while count_waiting(batcher) < guests:
        assert time.monotonic() < end
        time.sleep(0.001)


def count_waiting(batcher: Batcher) -> int:
    with batcher._bell:
        return len(batcher._room)


def test_a_call_is_answered_in_the_one_thread(
    device: Device, lane: Lane[str, str], pool: ThreadPoolExecutor
) -> None:
    with Batcher() as batcher:
        calls = [pool.submit(batcher.call, lane, word, ignore) for word in ("one", "three", "two")]
        assert [call.result(SOON) for call in calls] == ["ONE", "THREE", "TWO"]
    assert device.threads == {"models"}


def test_those_who_wait_together_share_batches_by_kind(
    device: Device, lane: Lane[str, str], pool: ThreadPoolExecutor
) -> None:
    words = ["one", "two", "three", "four", "six", "ten", "nil"]
    with Batcher() as batcher:
        with kept_busy(device, batcher, pool):
            calls = []
            for number, word in enumerate(words):
                calls.append(pool.submit(batcher.call, lane, word, ignore))
                wait_for(batcher, number + 1)
        assert [call.result(SOON) for call in calls] == [word.upper() for word in words]
    assert device.batches == [
        ["blocker"],
        ["one", "two", "six", "ten"],
        ["three"],
        ["four"],
        ["nil"],
    ]


def test_lanes_never_share_a_batch(
    device: Device, lane: Lane[str, str], pool: ThreadPoolExecutor
) -> None:
    other = Lane(device, len, rows=4)
    with Batcher() as batcher:
        with kept_busy(device, batcher, pool):
            calls = [pool.submit(batcher.call, where, "one", ignore) for where in (lane, other)]
            wait_for(batcher, 2)
        assert [call.result(SOON) for call in calls] == ["ONE", "ONE"]
    assert device.batches[1:] == [["one"], ["one"]]


def test_what_a_tick_raises_is_raised_in_its_caller_alone(
    device: Device, lane: Lane[str, str], pool: ThreadPoolExecutor
) -> None:
    heard: list[float] = []

    def leave(fraction: float) -> None:
        heard.append(fraction)
        if fraction == 1.0:
            raise JobCancelled

    with Batcher() as batcher:
        with kept_busy(device, batcher, pool):
            stays = pool.submit(batcher.call, lane, "one", ignore)
            leaves = pool.submit(batcher.call, lane, "two", leave)
            wait_for(batcher, 2)
        assert stays.result(SOON) == "ONE"
        with pytest.raises(JobCancelled):
            leaves.result(SOON)
    assert heard == [0.0, 1.0]


def test_who_is_cancelled_while_waiting_is_never_worked_for(
    device: Device, lane: Lane[str, str], pool: ThreadPoolExecutor
) -> None:
    cancelled = threading.Event()

    def tick(fraction: float) -> None:
        if cancelled.is_set():
            raise JobCancelled

    with Batcher() as batcher:
        with kept_busy(device, batcher, pool):
            leaves = pool.submit(batcher.call, lane, "two", tick)
            stays = pool.submit(batcher.call, lane, "one", ignore)
            wait_for(batcher, 2)
            cancelled.set()
        assert stays.result(SOON) == "ONE"
        assert isinstance(leaves.exception(SOON), JobCancelled)
    assert device.batches == [["blocker"], ["one"]]


def test_who_is_interrupted_while_waiting_is_never_worked_for(
    device: Device, lane: Lane[str, str], pool: ThreadPoolExecutor
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with Batcher() as batcher, kept_busy(device, batcher, pool):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(KeyboardInterrupt):
                batcher.call(lane, "one", ignore)
            assert count_waiting(batcher) == 1
    finally:
        signal.signal(signal.SIGALRM, before)
    assert device.batches == [["blocker"]]


def test_memory_that_ran_out_is_not_the_end(pool: ThreadPoolExecutor) -> None:
    asked: list[tuple[int, bool]] = []

    def work(words: Sequence[str], audience: Audience, *, thrifty: bool) -> dict[int, str]:
        asked.append((len(words), thrifty))
        if not thrifty or "fat" in words:
            raise OutOfMemory
        return dict(enumerate(words))

    lane = Lane(work, len, rows=2)
    with Batcher(patience=SOON) as batcher:
        calls = [pool.submit(batcher.call, lane, word, ignore) for word in ("one", "fat")]
        assert calls[0].result(SOON) == "one"
        assert isinstance(calls[1].exception(SOON), OutOfMemory)
        again = [pool.submit(batcher.call, lane, word, ignore) for word in ("two", "ten")]
        assert [call.result(SOON) for call in again] == ["two", "ten"]
    assert asked == [(2, False), (1, True), (1, True)] * 2


@pytest.mark.parametrize("error", [KeyError, ModelError, SystemExit])
def test_an_error_in_the_work_reaches_all_and_does_not_end_the_batcher(
    lane: Lane[str, str], pool: ThreadPoolExecutor, error: type[BaseException]
) -> None:
    def work(words: Sequence[str], audience: Audience, *, thrifty: bool) -> dict[int, str]:
        raise error

    broken = Lane(work, len, rows=2)
    with Batcher(patience=SOON) as batcher:
        calls = [pool.submit(batcher.call, broken, word, ignore) for word in ("one", "two")]
        assert [type(call.exception(SOON)) for call in calls] == [error, error]
        assert batcher.call(Lane(lane.work, len, rows=1), "one", ignore) == "ONE"


def test_after_the_device_has_failed_everybody_is_refused_at_once(
    device: Device, lane: Lane[str, str], pool: ThreadPoolExecutor
) -> None:
    def work(words: Sequence[str], audience: Audience, *, thrifty: bool) -> dict[int, str]:
        msg = "the card fell out"
        raise DeviceFailed(msg)

    broken = Lane(work, len, rows=4)
    with Batcher() as batcher:
        with kept_busy(device, batcher, pool):
            calls = [pool.submit(batcher.call, broken, "one", ignore)]
            wait_for(batcher, 1)
            calls.append(pool.submit(batcher.call, lane, "three", ignore))
            wait_for(batcher, 2)
        for call in calls:
            assert isinstance(call.exception(SOON), DeviceFailed)
        for _ in range(2):
            with pytest.raises(DeviceFailed, match="the card fell out"):
                batcher.call(lane, "four", ignore)
    assert device.batches == [["blocker"]]


def test_closing_finishes_what_waits_and_refuses_what_comes(
    device: Device, lane: Lane[str, str], pool: ThreadPoolExecutor
) -> None:
    batcher = Batcher(patience=3600)
    with kept_busy(device, batcher, pool):
        waiting = pool.submit(batcher.call, lane, "one", ignore)
        wait_for(batcher, 1)
        closing = pool.submit(batcher.close)
        refused = pool.submit(wait_until_refused, batcher, lane)
        assert "shutting down" in str(refused.result(SOON))
        assert not waiting.done()
    assert waiting.result(SOON) == "ONE"
    closing.result(SOON)
    assert not batcher._thread.is_alive()
    batcher.close()


def wait_until_refused(batcher: Batcher, lane: Lane[str, str]) -> ModelError:
    while not batcher._closing:
        time.sleep(0.001)
    with pytest.raises(ModelError) as caught:
        batcher.call(lane, "too late", ignore)
    return caught.value


def test_a_kind_that_cannot_be_told_is_the_callers_error(device: Device) -> None:
    def refuse(word: str) -> int:
        raise ValueError

    with Batcher() as batcher:
        with pytest.raises(ValueError, match=r"^$"):
            batcher.call(Lane(device, refuse, rows=1), "one", ignore)
        assert batcher.call(Lane(device, len, rows=1), "one", ignore) == "ONE"
