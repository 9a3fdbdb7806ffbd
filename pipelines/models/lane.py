"""One kind of work that the models do, many calls at a time, and what becomes of each call."""

import traceback
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from pipelines.errors import DeviceFailed, ModelError, OutOfMemory
from pipelines.models.audience import Audience, Tick

Item = TypeVar("Item")
Result = TypeVar("Result")
Item_contra = TypeVar("Item_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)


class Work(Protocol[Item_contra, Result_co]):
    """Does several items of one kind at once."""

    def __call__(
        self, items: Sequence[Item_contra], audience: Audience, /, *, thrifty: bool
    ) -> Mapping[int, Result_co]:
        """Results by number; those of the audience who left get none.

        ``thrifty`` asks for less memory at the price of time.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Call(Generic[Item, Result]):
    """Somebody who waits for the result of one item."""

    item: Item
    tick: Tick
    answer: Future[Result] = field(default_factory=Future)

    def is_present(self) -> bool:
        """Ask, right before the work begins, whether the result is still wanted."""
        if not self.answer.set_running_or_notify_cancel():
            return False
        try:
            self.tick(0.0)
        except BaseException as error:  # noqa: BLE001  whatever it is, it is theirs
            self.answer.set_exception(error)
            return False
        return True


def _one(_: object) -> float:
    return 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Lane(Generic[Item, Result]):
    """``work``, and which items may share a batch: at most ``rows`` of one ``kind``, at least 1.

    An item counts for ``share`` rows of its kind. With ``thrifty`` it always works that way.
    """

    work: Work[Item, Result]
    kind: Callable[[Item], Hashable]
    rows: int
    thrifty: bool = False
    share: Callable[[Any], float] = _one

    def room_for(self, kind: Hashable) -> int:
        """How many items of a kind a batch has at most."""
        return max(1, int(self.rows / self.share(kind)))

    def serve(self, calls: Sequence[Call[Item, Result]]) -> None:
        """Answer every call: with its result, or with what went wrong for it.

        Where memory runs out, the rows are tried once more, each alone and thriftily.

        Raises:
            DeviceFailed: the device failed; some calls may be without an answer.
        """
        present = [call for call in calls if call.is_present()]
        if not present:
            return
        shortage = self._attempt(present, thrifty=self.thrifty)
        if shortage is None:
            return
        if self.thrifty and len(present) == 1:
            present[0].answer.set_exception(shortage)
            return
        for call in present:
            if not call.answer.done():
                shortage = self._attempt([call], thrifty=True)
                if shortage is not None:
                    call.answer.set_exception(shortage)

    def _attempt(self, calls: Sequence[Call[Item, Result]], *, thrifty: bool) -> OutOfMemory | None:
        """Answer the calls; where memory runs out, only those who left get an answer."""
        audience = Audience([call.tick for call in calls])
        try:
            results = self.work([call.item for call in calls], audience, thrifty=thrifty)
        except OutOfMemory as error:
            _forget(error)
            _answer(calls, audience, {}, None)
            return error
        except BaseException as error:  # the thread that does the work must not end by it
            _forget(error)
            _answer(calls, audience, {}, error)
            if isinstance(error, DeviceFailed):
                raise
        else:
            _answer(calls, audience, results, ModelError("the engine gave no answer"))
        return None


def _answer(
    calls: Sequence[Call[Item, Result]],
    audience: Audience,
    results: Mapping[int, Result],
    otherwise: BaseException | None,
) -> None:
    """Why they left, else their result, else ``otherwise``, which may be nothing yet."""
    for number, call in enumerate(calls):
        if number in audience.left:
            call.answer.set_exception(audience.left[number])
        elif number in results:
            call.answer.set_result(results[number])
        elif otherwise is not None:
            call.answer.set_exception(otherwise)


def _forget(error: BaseException) -> None:
    """Let go of what the work held, before the error travels on to those who may keep it."""
    traceback.clear_frames(error.__traceback__)


def alone(work: Work[Item, Result]) -> Callable[[Item, Tick], Result]:
    """Do each item by itself, in the caller's thread: a lane without a batcher."""

    def call(item: Item, tick: Tick) -> Result:
        audience = Audience([tick])
        results = work([item], audience, thrifty=False)
        for error in audience.left.values():
            raise error
        return results[0]

    return call
