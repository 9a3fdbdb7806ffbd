"""The one thread in which all models run; callers in other threads share its batches."""

import math
import time
from collections.abc import Callable, Hashable, Sequence
from threading import Condition, Thread, current_thread
from types import TracebackType
from typing import Any, NamedTuple, Self

from pipelines.errors import DeviceFailed, ModelError
from pipelines.models.audience import Audience, Tick
from pipelines.models.lane import Call, Item, Lane, Result
from pipelines.models.waiting_room import Party, WaitingRoom

PATIENCE = 0.004
"""How long a call waits for company, in s: far below the time of one denoising step."""


class _Group(NamedTuple):
    """What calls must have in common to share a batch."""

    lane: Lane[Any, Any]
    kind: Hashable


class Batcher:
    """Runs the lanes' work, one batch at a time.

    Ticks are called in the batcher's thread, while all others wait: they must be quick, and raise
    nothing but an ``Exception``. Where memory ran out and a row is tried again, its tick begins
    at 0 once more.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        """Start the thread."""
        self._room: WaitingRoom[_Group, Call[Any, Any]] = WaitingRoom(
            patience, lambda group: group.lane.room_for(group.kind)
        )
        self._bell = Condition()
        self._closing = False
        self._failure: DeviceFailed | None = None
        self._heard: float | None = None
        self._thread = Thread(target=self._run, name="models", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """Be closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def call(self, lane: Lane[Item, Result], item: Item, tick: Tick) -> Result:
        """Wait for the result of ``item``; from any thread but the batcher's own.

        ``tick`` hears the share of the work done, first 0 right before the work begins. What it
        raises is raised here, and ends this row's work alone.

        Raises:
            OutOfMemory: not even alone and thriftily does the row fit.
            DeviceFailed: the device failed, now or before.
            ModelError: the batcher is closed.
        """
        assert current_thread() is not self._thread, "it would wait for itself"
        group = _Group(lane, lane.kind(item))

        def tell(fraction: float) -> None:
            self._heard = time.monotonic()
            tick(fraction)

        call: Call[Item, Result] = Call(item, tell)
        with self._bell:
            self._check()
            self._room.enter(call, group, time.monotonic())
            self._bell.notify()
        answer = call.answer
        try:
            return answer.result()
        finally:
            answer.cancel()  # who is interrupted while waiting is not painted for
            del call, answer  # an error holds this frame, which must not hold the error

    def do(self, work: Callable[[], object]) -> None:
        """Do something in the models' thread, and wait for its end; raises what it raises."""

        def do_it(_: Sequence[None], __: Audience, *, thrifty: bool) -> dict[int, None]:
            del thrifty
            work()
            return {0: None}

        self.call(Lane(do_it, kind=lambda _: None, rows=1), None, lambda _: None)

    def silence(self) -> float:
        """Seconds for which the work under way has told nobody how far it is; 0 without any."""
        heard = self._heard
        return 0.0 if heard is None else time.monotonic() - heard

    def close(self) -> None:
        """Finish what waits, then end the thread; further calls are refused."""
        with self._bell:
            self._closing = True
            self._bell.notify()
        self._thread.join()

    def _check(self) -> None:
        if self._failure is not None:
            raise DeviceFailed(self._failure.detail) from self._failure
        if self._closing:
            msg = "the engine is shutting down"
            raise ModelError(msg)

    def _run(self) -> None:
        while self._serve():
            pass

    def _serve(self) -> bool:
        """Wait for the next batch and do it; False when there will be none."""
        party = self._await()
        if party is None:
            return False
        (lane, _), calls = party
        self._heard = time.monotonic()
        try:
            lane.serve(calls)
        except DeviceFailed as failure:
            self._give_up(failure, calls)
        finally:
            self._heard = None
        return True

    def _await(self) -> Party[_Group, Call[Any, Any]] | None:
        with self._bell:
            while True:
                now = math.inf if self._closing else time.monotonic()
                party = self._room.call_in(now)
                if party is not None or self._closing:
                    return party
                turn = self._room.next_turn()
                self._bell.wait(None if turn is None else turn - now)

    def _give_up(self, failure: DeviceFailed, calls: list[Call[Any, Any]]) -> None:
        """Refuse the rest of a broken batch, those who wait, and from now on all who come."""
        refused = [call.answer for call in calls if not call.answer.done()]
        with self._bell:
            self._failure = failure
            while party := self._room.call_in(math.inf):
                answers = [call.answer for call in party.guests]
                refused += [answer for answer in answers if answer.set_running_or_notify_cancel()]
        for answer in refused:
            answer.set_exception(failure)
