"""One job in this process: its sources are brought, reframed and published, one by one.

What a step returns is plain JSON and is written down by DBOS: a job that is done again, because its
worker ended, goes on after the last step that was.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn

import structlog

from pipelines.errors import DeviceFailed, InvalidOption, ReframeError, RequestError
from pipelines.geometry import Size
from pipelines.progress import Step, Stopwatch
from pipelines.protection import read_mask
from pipelines.reframe import Described, Reframer
from pipelines.request import ReframeRequest
from server.images.gather import Gathered, mask_blob, shelf_of
from server.images.label import name_one, named
from server.images.store import VOLATILE
from server.jobs.job import Failure, Job, Output
from server.jobs.order import Task
from server.jobs.outage import insist
from server.work.bench import Bench, explain
from server.work.device import Rank, Share
from server.work.planning import draw_plan
from server.work.publishing import Made, Publisher
from server.work.series import follow
from server.work.teller import Teller

log = structlog.get_logger("server.work")

Make = Callable[[Described, ReframeRequest, Stopwatch], Made]
"""One output of a described source."""

OF_THE_SOURCE = {Step.DECODE, Step.DESCRIBE}
"""Steps that all targets share."""

ONE_PICTURE = "a plan is made for one picture; file_input names one of a zip"

FIRST = datetime.min.replace(tzinfo=UTC)
"""Before every job."""

TRIES_OF_DEVICE = 2
"""A job that finds the device failing as often is not tried again."""


class Reframing:
    """The steps of one job; each may run in another process than the one before."""

    def __init__(self, bench: Bench, job: Job) -> None:
        """Nothing is begun yet."""
        self._bench, self._job = bench, job
        self._requests = job.order.requests()
        self._publisher = Publisher(bench.store, job)
        self._prefix = VOLATILE if job.order.volatile else ""

    def gather(self) -> dict[str, Any]:
        """Bring the sources into the store: ``sources``, each a label and a blob, or a failure."""
        since = time.perf_counter()
        try:
            found = self._bench.gather(self._job.order, self._job.id)
            if self._is_plan and len(found) > 1:
                raise InvalidOption(ONE_PICTURE)  # noqa: TRY301  as what the store refuses
        except Exception as error:  # noqa: BLE001  the job fails, the worker lives
            return {"failure": asdict(explain(error, self._job.id, "gather"))}
        return {"sources": found, "seconds": {"gather": time.perf_counter() - since}}

    def render(self, number: int, source: Gathered, sources: int) -> dict[str, Any]:
        """Reframe source ``number`` of so many to all targets: ``outputs``, or a failure."""
        teller = Teller(
            self._bench.queue, self._job.id, self._bench.worker, sources * len(self._requests)
        )
        teller.skip(number * len(self._requests))
        share = Share(self._bench.device, self._rank(), begin=teller.begin, meanwhile=teller.heed)
        try:
            with (
                self._bench.herald.follow(teller),
                named("source", number, sources, source.label),
            ):
                outputs, seconds = self._reframe(number, source, share, teller)
        except DeviceFailed as error:
            self._leave(error, teller.step, share.seconds)
        except Exception as error:  # noqa: BLE001  the job fails, the worker lives
            failure = explain(error, self._job.id, teller.step)
            return {"failure": asdict(failure), "gpu_seconds": share.seconds}
        return {
            "outputs": [asdict(output) for output in outputs],
            "seconds": seconds,
            "gpu_seconds": share.seconds,
        }

    def follow(self, step: dict[str, Any]) -> None:
        """Hear what ``render`` gave for the first source: a series goes on as that began."""
        if self._job.order.series and not self._is_plan and "outputs" in step:
            records = [output["record"] for output in step["outputs"]]
            self._requests = follow(self._requests, records)

    def forget_sources(self) -> None:
        """Delete what the job was made of, where nothing is to be kept."""
        try:
            self._bench.store.delete(f"{self._prefix}sources/{self._job.id}/")
        except ReframeError:
            log.warning("sources not deleted yet")  # the sweep comes by later

    def _reframe(
        self, number: int, source: Gathered, share: Share, teller: Teller
    ) -> tuple[list[Output], dict[str, float]]:
        reframer = Reframer(share.of(self._bench.engine), self._bench.limits, self._bench.signer)
        data = self._bench.store.read(source.blob)
        outputs: list[Output] = []
        seconds: dict[str, float] = {}
        first: dict[str, float] = {}
        work = self._work(reframer, data, teller)
        while made := self._next(work, len(outputs), teller):
            outputs.append(self._publisher.publish(made, number, len(outputs), source.label))
            # decoding and describing happened once, and stand in every record
            new = {step: s for step, s in made.seconds.items() if first.get(step) != s}
            for step, value in new.items():
                seconds[step] = seconds.get(step, 0.0) + value
            first = first or dict(made.seconds)
            teller.finish_picture()
        for step, waited in share.waited.items():
            if step in seconds:  # parts of an engine are called like their steps
                seconds[step] = max(0.0, seconds[step] - waited)
        return outputs, seconds

    def _work(self, reframer: Reframer, data: bytes, teller: Teller) -> Iterator[Made]:
        """What becomes of each request; the source is decoded and described once."""
        make: Make = partial(draw_plan, reframer) if self._is_plan else reframer.reframe
        painted = [] if self._is_plan else self._requests
        for request in painted:
            reframer.check(request)
        watch = Stopwatch(teller)
        rated = any(request.safety.rates for request in painted)
        described = reframer.describe(data, watch, rated=rated)
        for request in self._prepare(described.size):
            yield make(described, request, Stopwatch(teller, watch.seconds))

    def _prepare(self, size: Size) -> Sequence[ReframeRequest]:
        """The requests, with what the mask protects in a source of this size."""
        order, limits = self._job.order, self._bench.limits
        if order.protect_mask is None:
            return self._requests
        mask = self._bench.store.read(mask_blob(shelf_of(order, self._job.id)))
        boxes = read_mask(mask, size, limits)
        return [request.protecting(boxes) for request in self._requests]

    @property
    def _is_plan(self) -> bool:
        return self._job.order.task is Task.PLAN

    def _rank(self) -> Rank:
        """Who came first goes first; but a look is short, and somebody waits for its plan."""
        return (FIRST if self._is_plan else self._job.created_at, self._job.id)

    def _next(self, work: Iterator[Made], index: int, teller: Teller) -> Made | None:
        """What became of request ``index``, None after the last; an error says whose it is."""
        try:
            return next(work, None)
        except RequestError as error:
            if teller.step not in OF_THE_SOURCE:
                targets, number = self._job.order.targets, index // self._job.order.variants
                name_one(error, "target", number, len(targets), targets[number].name)
            raise

    def _leave(self, error: ReframeError, step: str, gpu_seconds: float) -> NoReturn:
        """End the process; whoever starts it anew tries the job once more, and only once."""
        if insist(partial(self._bench.tries.read, self._job.id)) >= TRIES_OF_DEVICE:
            failure = Failure(error.code, error.detail, step)
            fail = self._bench.queue.fail
            insist(partial(fail, self._job.id, failure, gpu_seconds=gpu_seconds))
        self._bench.abandon()
