"""Turns on the device."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from PIL import Image

from pipelines.composition import Composition
from pipelines.engine import Engine, Painting
from pipelines.errors import JobCancelled
from pipelines.progress import Progress
from server.work.device import Device, Rank, Share
from tests.server.work.small_engine import describe

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PICTURE = Image.new("RGB", (4, 4))


def rank(minutes: int) -> Rank:
    return NOON + timedelta(minutes=minutes), str(minutes)


def do_nothing() -> None:
    """Neither begin nor stop."""


def test_who_came_first_goes_first() -> None:
    device, order = Device(), []

    def work(number: int) -> None:
        with device.turn(rank(number), do_nothing):
            order.append(number)

    with ThreadPoolExecutor(3) as crowd:
        with device.turn(rank(0), do_nothing):
            waiting = [crowd.submit(work, number) for number in (3, 1, 2)]
            while len(device._waiting) < 3:
                time.sleep(0.01)
        for each in waiting:
            each.result(5)
    assert order == [1, 2, 3]


def test_two_places_are_for_two() -> None:
    device = Device(places=2)
    with (
        device.turn(rank(1), do_nothing),
        device.turn(rank(2), do_nothing),
        pytest.raises(JobCancelled),
        device.turn(rank(3), stop),
    ):
        pytest.fail("there is no third place")


def stop() -> None:
    raise JobCancelled


def test_who_is_to_stop_while_waiting_leaves_the_line() -> None:
    device = Device()
    with (
        device.turn(rank(2), do_nothing),
        pytest.raises(JobCancelled),
        device.turn(rank(1), stop),
    ):
        pytest.fail("the device was taken")
    with device.turn(rank(3), do_nothing):
        pass


def test_a_job_that_does_not_begin_gives_the_device_back() -> None:
    device = Device()
    share = Share(device, rank(1), begin=stop, meanwhile=do_nothing)
    with pytest.raises(JobCancelled):
        share.of(make_engine()).describe(PICTURE)
    assert share.seconds == 0
    with device.turn(rank(2), do_nothing):
        pass


def test_those_who_have_the_device_together_share_its_time() -> None:
    now = 0.0
    device = Device(2, lambda: now)
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(device.turn(rank(1), do_nothing))
        began = [device.worked()]
        now = 4.0
        second.enter_context(device.turn(rank(2), do_nothing))
        began.append(device.worked())
        now = 10.0
        shares = [device.worked() - began[0]]
        first.close()
        now = 12.0
        shares.append(device.worked() - began[1])
    assert shares == [7.0, 5.0]
    assert sum(shares) == now


def test_a_share_counts_the_time_on_the_device_and_not_the_wait_for_it() -> None:
    device, begun = Device(), []
    share = Share(device, rank(1), begin=lambda: begun.append(1), meanwhile=do_nothing)
    engine, since = share.of(make_engine()), time.perf_counter()
    with ThreadPoolExecutor(1) as crowd:
        with device.turn(rank(0), do_nothing):
            seen = crowd.submit(engine.describe, PICTURE)
            time.sleep(0.2)
            assert not begun
        assert seen.result(5) == Composition("small")
    assert begun == [1]
    assert share.seconds >= 0.05
    assert share.waited["describe"] >= 0.15
    assert share.seconds + share.waited["describe"] <= time.perf_counter() - since


def make_engine() -> Engine:
    def look(picture: Image.Image) -> Composition:
        Event().wait(0.05)
        return describe(picture)

    def paint(painting: Painting, progress: Progress) -> Image.Image:
        return PICTURE

    return Engine("small", look, paint)
