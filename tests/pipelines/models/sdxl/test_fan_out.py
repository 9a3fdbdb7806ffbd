"""Patches of one job report with one voice and stop together."""

import threading
import time

import pytest
from PIL import Image

from pipelines.errors import JobCancelled, ModelError
from pipelines.models.audience import Tick
from pipelines.models.sdxl.denoise import make_noise
from pipelines.models.sdxl.fan_out import fan_out
from pipelines.models.sdxl.patch import Patch
from pipelines.models.sdxl.recipe import Recipe
from tests.pipelines.models.sdxl.scenes import ignore

STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


def make_patch(number: int) -> Patch:
    picture = Image.new("RGB", (8, 8), (number, 0, 0))
    mask = Image.new("L", (8, 8), 255)
    return Patch(picture, mask, "", make_noise(number, (1, 4, 1, 1)), Recipe(4, 1.0))


PATCHES = [make_patch(number) for number in range(6)]


def paint(patch: Patch, tick: Tick) -> Image.Image:
    for fraction in STEPS:
        time.sleep(0.001)
        tick(fraction)
    return patch.picture


@pytest.mark.parametrize("workers", [1, 4])
def test_pictures_come_in_order_and_progress_never_falls(workers: int) -> None:
    heard: list[float] = []
    pictures = fan_out(paint, PATCHES, heard.append, workers)
    assert pictures == [patch.picture for patch in PATCHES]
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0, 1)
    assert len(heard) == len(PATCHES) * len(STEPS)


def test_one_worker_is_the_caller_and_several_work_at_the_same_time() -> None:
    threads: set[str] = set()
    meeting = threading.Barrier(3, timeout=5)

    def meet(patch: Patch, tick: Tick) -> Image.Image:
        meeting.wait()
        return paint(patch, tick)

    def note(patch: Patch, tick: Tick) -> Image.Image:
        threads.add(threading.current_thread().name)
        return paint(patch, tick)

    fan_out(meet, PATCHES, ignore, workers=3)
    fan_out(note, PATCHES, ignore)
    assert threads == {threading.current_thread().name}


@pytest.mark.parametrize("workers", [1, 4])
def test_who_listens_may_stop_all_of_them(workers: int) -> None:
    calls: list[float] = []

    def tick(fraction: float) -> None:
        calls.append(fraction)
        if fraction > 0.1:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        fan_out(paint, PATCHES, tick, workers)
    assert sum(fraction > 0.1 for fraction in calls) == 1


@pytest.mark.parametrize("workers", [1, 4])
def test_one_that_fails_stops_the_others_and_is_the_reason(workers: int) -> None:
    begun: list[Patch] = []

    def fail(patch: Patch, tick: Tick) -> Image.Image:
        begun.append(patch)
        tick(0.0)
        if patch is PATCHES[1]:
            msg = "this one"
            raise ModelError(msg)
        return paint(patch, tick)

    with pytest.raises(ModelError, match="this one"):
        fan_out(fail, PATCHES, ignore, workers)
    assert len(begun) < len(PATCHES)


def test_a_patch_that_begins_anew_is_not_heard_falling_back() -> None:
    heard: list[float] = []

    def stumble(patch: Patch, tick: Tick) -> Image.Image:
        for fraction in (0.0, 0.5, 0.0, 0.5, 1.0):
            tick(fraction)
        return patch.picture

    fan_out(stumble, PATCHES[:1], heard.append)
    assert heard == [0, 0.5, 0.5, 0.5, 1]


def test_nothing_to_paint_is_nothing_to_tell() -> None:
    heard: list[float] = []
    assert fan_out(paint, [], heard.append) == []
    assert heard == []
