"""Makes a batch's outputs with an engine in this process."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipelines.errors import (
    DeviceFailed,
    EngineUnavailable,
    ImageTooLarge,
    ImageUndecodable,
    ReframeError,
    WeightsError,
)
from pipelines.reframe import Reframer
from pipelines.reframed import Reframed
from server.batch.maker import Answer, Asked, Beside, Made
from server.batch.wish import Fitter, Wish

HOPELESS = (DeviceFailed, EngineUnavailable, WeightsError)
"""No other output would be made either."""

SAME_FOR_ALL = (ImageTooLarge, ImageUndecodable)
"""Whatever else is asked of this source."""


class LocalMaker:
    """A reframer as a batch needs it."""

    def __init__(self, reframer: Reframer) -> None:
        """Keep the reframer."""
        self._reframer = reframer
        self.limits = reframer.limits
        engine = reframer.engine
        version = importlib.metadata.version("smart-resize")
        signed = ("signed",) if reframer.signer else ()
        self.identity = " ".join((version, engine.name, *engine.models, *signed))

    def make(self, name: str, data: bytes, asked: Sequence[Asked]) -> Iterator[Answer]:  # noqa: ARG002  the protocol's names
        """Each output after the other; one that fails does not stop the next."""
        fitted, fitter = [], Fitter(data, self.limits)
        for each in asked:
            try:
                fitted.append((each, fitter.fit(each.piece.wish)))
            except ReframeError as error:
                yield Answer(each, error)
        while fitted:
            try:
                requests = [request for _, request in fitted]
                for reframed in self._reframer(data, requests):
                    yield Answer(fitted.pop(0)[0], _made(reframed))
            except HOPELESS:
                raise
            except ReframeError as error:
                failed = fitted if isinstance(error, SAME_FOR_ALL) else fitted[:1]
                fitted = fitted[len(failed) :]
                yield from [Answer(each, error) for each, _ in failed]

    def plan_series(self, data: bytes, wishes: Sequence[Wish]) -> list[Wish]:
        """The wishes with the plans that suit this source, for all sources of its ratio.

        Raises:
            RequestError: the source cannot be read, or nothing fits the rules.
        """
        described = self._reframer.describe(data)
        requests = map(Fitter(data, self.limits).fit, wishes)
        plans = [self._reframer.plan(described, request) for request in requests]
        return [replace(wish, plan=plan) for wish, plan in zip(wishes, plans, strict=True)]


def _made(reframed: Reframed) -> Made:
    beside = tuple(Beside(each.kind, each.data, each.extension) for each in reframed.extras)
    return Made(reframed.file.data, reframed.to_json(), beside)
