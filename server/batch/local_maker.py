"""Makes a batch's outputs with an engine in this process."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipelines.errors import DeviceFailed, EngineUnavailable, ReframeError, WeightsError
from pipelines.progress import Stopwatch, ignore_progress
from pipelines.reframe import Reframer
from pipelines.reframed import Reframed
from pipelines.request import ReframeRequest
from server.batch.maker import Answer, Beside, Made, Pending
from server.batch.wish import Fitter, Wish

HOPELESS = (DeviceFailed, EngineUnavailable, WeightsError)
"""No other output would be made either."""


class LocalMaker:
    """A reframer as a batch needs it."""

    def __init__(self, reframer: Reframer) -> None:
        """Keep the reframer."""
        self._reframer = reframer
        self.limits = reframer.limits
        engine = reframer.engine
        version = importlib.metadata.version("smart-resize")
        signed = ("signed",) if reframer.signer else ()
        # an engine that fills the device with one picture fills every core too
        self.at_once = engine.callers if engine.batch > 1 else 1
        self.identity = " ".join((version, engine.name, *engine.models, *signed))

    def make(self, name: str, data: bytes, pending: Sequence[Pending]) -> Iterator[Answer]:  # noqa: ARG002  the protocol's names
        """Each output after the other; one that fails does not stop the next."""
        fitted: list[tuple[Pending, ReframeRequest]] = []
        fitter = Fitter(data, self.limits)
        for each in pending:
            try:
                request = fitter.fit(each.piece.wish)
                self._reframer.check(request)
                fitted.append((each, request))
            except HOPELESS:
                raise
            except ReframeError as error:
                yield Answer(each, error)
        yield from self._reframe(data, fitted)

    def _reframe(
        self, data: bytes, fitted: Sequence[tuple[Pending, ReframeRequest]]
    ) -> Iterator[Answer]:
        """The source is decoded and described once, whichever outputs of it fail."""
        if not fitted:
            return
        watch = Stopwatch(ignore_progress)
        rated = any(request.safety.rates for _, request in fitted)
        try:
            described = self._reframer.describe(data, watch, rated=rated)
        except HOPELESS:
            raise
        except ReframeError as error:
            yield from [Answer(each, error) for each, _ in fitted]
            return
        for each, request in fitted:
            try:
                own = Stopwatch(ignore_progress, watch.seconds)
                yield Answer(each, _made(self._reframer.reframe(described, request, own)))
            except HOPELESS:
                raise
            except ReframeError as error:
                yield Answer(each, error)

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
