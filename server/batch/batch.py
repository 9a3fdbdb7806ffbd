"""Carries items out: skips what is done, makes the rest, notes each output as it is finished."""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any, Protocol

from pipelines.codec.limits import Limits
from pipelines.errors import JobCancelled, OutputUnwritable, ReframeError, RequestError
from server.batch.item import Piece, PlacedItem
from server.batch.ledger import Entry, Ledger
from server.batch.maker import Answer, Made, Maker, Pending
from server.batch.naming import name_beside
from server.batch.thumbnails import THUMBNAILS, Thumbnails
from server.batch.whole_file import grow, publish

AHEAD = 2
"""Sources in line for each one that is being worked on."""


class Listener(Protocol):
    """Hears of every output, from any thread."""

    def __call__(self, entry: Entry, *, skipped: bool) -> None:
        """``entry`` is done, was done before, or failed."""
        ...


class Batch:
    """One maker, one ledger, and the order to stop."""

    def __init__(
        self, maker: Maker, ledger: Ledger, limits: Limits, hear: Listener, stopping: Event
    ) -> None:
        """``limits`` bound the sources; nothing is begun once ``stopping`` is set."""
        self._maker, self._ledger = maker, ledger
        self._limits, self._hear = limits, hear
        self._stopping = stopping
        self._thumbnails = Thumbnails(ledger.house / THUMBNAILS)

    def carry_out(self, items: Iterable[PlacedItem], at_once: int = 1) -> None:
        """Do them all, or what is begun when ``stopping`` is set.

        Raises:
            ReframeError: nothing more can be made; what is done stands.
        """
        with ThreadPoolExecutor(at_once, "batch") as pool:
            running: set[Future[None]] = set()
            try:
                for item in items:
                    running.add(pool.submit(self._do, item))
                    if len(running) >= AHEAD * at_once:
                        running = _reap(running)
                    if self._stopping.is_set():
                        break
                while running:
                    running = _reap(running)
            except BaseException:
                self._stopping.set()
                raise

    def _do(self, item: PlacedItem) -> None:
        if self._stopping.is_set():
            return
        try:
            data = item.source.read(self._limits.max_bytes)
        except RequestError as error:
            for piece in item.pieces:
                self._fail(item, Pending(piece, key=""), error)
            return
        source = hashlib.sha256(data).hexdigest()
        pending = list(self._find_wanting(item, source))
        if not pending:
            return
        answers = self._maker.make(item.source.relative.name, data, pending)
        for answer in answers:
            self._note(item, answer, source, data)
            if self._stopping.is_set():
                break

    def _find_wanting(self, item: PlacedItem, source: str) -> Iterator[Pending]:
        """What is not there yet; what is there is told."""
        for piece in item.pieces:
            key = piece.key(source, self._maker.identity)
            if done := self._ledger.find_done(piece.output, key):
                self._hear(done, skipped=True)
            else:
                yield Pending(piece, key, self._ledger.count_failures(piece.output, key))

    def _note(self, item: PlacedItem, answer: Answer, source: str, data: bytes) -> None:
        pending, made = answer
        if isinstance(made, Made):
            try:
                self._hear(self._keep(item, pending, made, source), skipped=False)
            except OutputUnwritable as error:
                self._fail(item, pending, error)
                return
            self._thumbnails.add(hashlib.sha256(made.data).hexdigest(), made.data)
            self._thumbnails.add(source, data)
        elif isinstance(made, ReframeError) and not isinstance(made, JobCancelled):
            self._fail(item, pending, made)

    def _keep(self, item: PlacedItem, pending: Pending, made: Made, source: str) -> Entry:
        """Note it when its files are whole, and only then give them their names.

        So whatever has its name is noted, and what is noted without being there is made again.
        """
        output, scratch = pending.piece.output, self._ledger.scratch
        files = {name_beside(output, kind, ending): data for kind, data, ending in made.beside}
        files[output] = made.data  # the last: what lies beside it belongs to it
        grown = {path: grow(data, scratch) for path, data in files.items()}
        digests = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
        entry = Entry(
            **_common(item, pending.piece, pending.key),
            source=source,
            sha256=digests.pop(output),
            bytes=len(made.data),
            extras=tuple((path.as_posix(), digest) for path, digest in digests.items()),
            **_measure(made.record),
        )
        self._ledger.add(entry)
        for path, temporary in grown.items():
            publish(temporary, self._ledger.folder / path)
        return entry

    def _fail(self, item: PlacedItem, pending: Pending, error: ReframeError) -> None:
        entry = Entry(
            **_common(item, pending.piece, pending.key),
            size=str(pending.piece.wish.size or ""),
            error=error.code,
            detail=error.detail,
            failures=pending.failures + 1,
        )
        self._ledger.add(entry)
        self._hear(entry, skipped=False)


def _reap(running: set[Future[None]]) -> set[Future[None]]:
    """Those that still run once one has ended; raises what ended it."""
    done, left = wait(running, return_when=FIRST_COMPLETED)
    for each in done:
        each.result()
    return left


def _common(item: PlacedItem, piece: Piece, key: str) -> dict[str, Any]:
    return {
        "output": piece.output.as_posix(),
        "key": key,
        "input": item.origin,
        "slot": piece.slot,
        "preset": piece.wish.preset.id if piece.wish.preset else "",
    }


def _measure(record: dict[str, Any]) -> dict[str, Any]:
    """What the report shows of an output's record."""
    plan, seam = record["plan"], record.get("seam") or {}
    width, height = record["output"]["size"]
    return {
        "size": f"{width}x{height}",
        "seconds": round(sum(record.get("seconds", {}).values()), 3),
        "painted": plan["painted_fraction"],
        "cropped": plan["lost_fraction"],
        "seam": max(seam.values(), default=None),
        "needs_review": record.get("needs_review"),
        "warnings": tuple(record.get("warnings", ())),
    }
