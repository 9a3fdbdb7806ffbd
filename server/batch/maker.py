"""Who makes outputs: an engine in this process, or a server elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from pipelines.export.wishes import Extra
from server.batch.item import Piece


class Beside(NamedTuple):
    """A file beside an output; ``extension`` has its dot."""

    kind: Extra
    data: bytes
    extension: str


@dataclass(frozen=True, slots=True)
class Made:
    """A finished output: its bytes, its record as JSON values, and the files beside it."""

    data: bytes
    record: dict[str, Any]
    beside: tuple[Beside, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """One output to be made now.

    ``key`` is the same for the same work, ``failures`` how often it has failed before.
    """

    piece: Piece
    key: str
    failures: int = 0


class Maker(Protocol):
    """Makes outputs; may be called from several threads."""

    identity: str
    """What makes a difference to an output besides its wish: engine, models, version."""

    at_once: int
    """Sources that keep it busy together."""

    def make(self, name: str, data: bytes, pending: Sequence[Pending]) -> Iterator["Answer"]:
        """One answer for each, as soon as it is there, in any order.

        ``name`` is what the source is called. Raises where nothing more can be made at all.
        """
        ...


class Answer(NamedTuple):
    """What became of one output: it was made, or the error that it ended with."""

    pending: Pending
    made: Made | Exception
