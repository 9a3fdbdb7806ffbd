"""What becomes of each call of a batch, in one thread."""

import weakref
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from pipelines.errors import DeviceFailed, JobCancelled, ModelError, OutOfMemory
from pipelines.models.audience import Audience, Tick
from pipelines.models.lane import Call, Lane


class Asked(NamedTuple):
    """One batch that the device was asked for."""

    items: list[int]
    thrifty: bool


class Doubler:
    """A device that doubles numbers, two steps each, and has room for so many."""

    def __init__(self, room: int = 100, thrifty_room: int = 100) -> None:
        self.asked: list[Asked] = []
        self._room, self._thrifty_room = room, thrifty_room

    def __call__(
        self, items: Sequence[int], audience: Audience, *, thrifty: bool
    ) -> dict[int, int]:
        self.asked.append(Asked(list(items), thrifty))
        audience.tell(0.5)
        if len(items) > (self._thrifty_room if thrifty else self._room):
            raise OutOfMemory
        present = audience.tell(1.0)
        return {number: 2 * items[number] for number in present}


def ignore(fraction: float) -> None:
    """Hear nothing."""


def leave_at(share: float) -> Tick:
    def tick(fraction: float) -> None:
        if fraction >= share:
            raise JobCancelled

    return tick


def make_calls(*ticks: Tick) -> list[Call[int, int]]:
    return [Call(number, tick) for number, tick in enumerate(ticks)]


def serve(
    work: Callable[..., dict[int, int]], calls: Sequence[Call[int, int]], *, thrifty: bool = False
) -> list[int | type[BaseException]]:
    Lane(work, str, rows=8, thrifty=thrifty).serve(calls)
    assert all(call.answer.done() for call in calls)
    failures = [call.answer.exception() for call in calls]
    return [
        call.answer.result() if failure is None else type(failure)
        for call, failure in zip(calls, failures, strict=True)
    ]


def test_everybody_gets_their_own_result() -> None:
    work = Doubler()
    assert serve(work, make_calls(ignore, ignore, ignore)) == [0, 2, 4]
    assert work.asked == [([0, 1, 2], False)]


def test_who_is_gone_before_the_work_begins_is_not_worked_for() -> None:
    work = Doubler()
    calls = make_calls(ignore, leave_at(0.0), ignore, ignore)
    calls[2].answer.cancel()
    Lane(work, str, rows=8).serve(calls)
    assert work.asked == [([0, 3], False)]
    assert isinstance(calls[1].answer.exception(), JobCancelled)
    assert [calls[number].answer.result() for number in (0, 3)] == [0, 6]


def test_where_all_are_gone_nothing_is_done() -> None:
    work = Doubler()
    assert serve(work, make_calls(leave_at(0.0))) == [JobCancelled]
    assert work.asked == []


def test_who_leaves_in_the_middle_does_not_disturb_the_others() -> None:
    calls = make_calls(ignore, leave_at(0.5), ignore, leave_at(1.0))
    assert serve(Doubler(), calls) == [0, JobCancelled, 4, JobCancelled]


def test_where_memory_is_short_each_goes_alone_and_thriftily() -> None:
    work = Doubler(room=2)
    assert serve(work, make_calls(ignore, leave_at(0.5), ignore)) == [0, JobCancelled, 4]
    assert work.asked == [([0, 1, 2], False), ([0], True), ([2], True)]


def test_a_single_row_is_tried_again_thriftily() -> None:
    work = Doubler(room=0)
    assert serve(work, make_calls(ignore)) == [0]
    assert work.asked == [([0], False), ([0], True)]


def test_a_lane_that_is_always_thrifty_has_nothing_smaller_for_a_single_row() -> None:
    work = Doubler(thrifty_room=0)
    assert serve(work, make_calls(ignore), thrifty=True) == [OutOfMemory]
    assert work.asked == [([0], True)]


def test_a_lane_that_is_always_thrifty_still_tries_its_rows_alone() -> None:
    work = Doubler(thrifty_room=1)
    assert serve(work, make_calls(ignore, ignore), thrifty=True) == [0, 2]
    assert work.asked == [([0, 1], True), ([0], True), ([1], True)]


def test_only_the_row_that_never_fits_fails() -> None:
    def work(items: Sequence[int], audience: Audience, *, thrifty: bool) -> dict[int, int]:
        if 1 in items or len(items) > 1:
            raise OutOfMemory
        return {0: items[0]}

    assert serve(work, make_calls(ignore, ignore, ignore)) == [0, OutOfMemory, 2]


def test_an_error_of_the_whole_batch_reaches_all_but_those_who_left() -> None:
    def work(items: Sequence[int], audience: Audience, *, thrifty: bool) -> dict[int, int]:
        audience.tell(0.5)
        raise KeyError

    assert serve(work, make_calls(ignore, leave_at(0.5), ignore)) == [
        KeyError,
        JobCancelled,
        KeyError,
    ]


def test_a_second_try_that_breaks_breaks_for_its_own_row() -> None:
    def work(items: Sequence[int], audience: Audience, *, thrifty: bool) -> dict[int, int]:
        if len(items) > 1:
            raise OutOfMemory
        return {0: 1 // items[0]}

    assert serve(work, make_calls(ignore, ignore)) == [ZeroDivisionError, 1]


def test_who_gets_no_answer_is_told_so() -> None:
    def forget(items: Sequence[int], audience: Audience, *, thrifty: bool) -> dict[int, int]:
        return {0: 1}

    assert serve(forget, make_calls(ignore, ignore)) == [1, ModelError]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_even_what_would_end_a_thread_goes_to_the_callers(error: type[BaseException]) -> None:
    def work(items: Sequence[int], audience: Audience, *, thrifty: bool) -> dict[int, int]:
        raise error

    assert serve(work, make_calls(ignore, ignore)) == [error, error]


def test_a_device_that_failed_is_told_to_those_it_failed_and_to_the_thread() -> None:
    def work(items: Sequence[int], audience: Audience, *, thrifty: bool) -> dict[int, int]:
        if len(items) > 1:
            raise OutOfMemory
        raise DeviceFailed

    calls = make_calls(ignore, ignore)
    with pytest.raises(DeviceFailed):
        Lane(work, str, rows=8).serve(calls)
    assert isinstance(calls[0].answer.exception(), DeviceFailed)
    assert not calls[1].answer.done()


@pytest.mark.parametrize("error", [OutOfMemory, KeyError])
def test_an_error_holds_nothing_that_the_work_held(error: type[Exception]) -> None:
    class Latents:
        """Stands for a large tensor."""

    held: list[weakref.ref[Latents]] = []

    def work(items: Sequence[int], audience: Audience, *, thrifty: bool) -> dict[int, int]:
        latents = Latents()
        held.append(weakref.ref(latents))
        raise error

    calls = make_calls(ignore)
    assert serve(work, calls) == [error]
    assert [latents() for latents in held] == [None] * len(held)
