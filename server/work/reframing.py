"""One job in this process: its sources are brought, reframed and published, one by one.

What a step returns is plain JSON and is written down by DBOS: a job that is done again, because its
worker ended, goes on after the last step that was.
"""

import hashlib
import time
from dataclasses import asdict
from functools import partial
from typing import Any, NoReturn

import structlog

from pipelines.errors import DeviceFailed, ReframeError
from pipelines.reframe import Reframer
from pipelines.reframed import Reframed
from server.errors import StorageFull
from server.images.gather import Gathered
from server.images.label import base_name
from server.images.store import VOLATILE
from server.jobs.job import Failure, Job, Output
from server.jobs.outage import insist
from server.work.bench import Bench, explain
from server.work.device import Share
from server.work.teller import Teller

log = structlog.get_logger("server.work")

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between tries to publish where the disk is full: others may make room."""

TRIES_OF_DEVICE = 2
"""A job that finds the device failing as often is not tried again."""


class Reframing:
    """The steps of one job; each may run in another process than the one before."""

    def __init__(self, bench: Bench, job: Job) -> None:
        """Nothing is begun yet."""
        self._bench, self._job = bench, job
        self._requests = job.order.requests()
        self._rank = (job.created_at, job.id)
        self._prefix = VOLATILE if job.order.volatile else ""

    def gather(self) -> dict[str, Any]:
        """Bring the sources into the store: ``sources``, each a label and a blob, or a failure."""
        since = time.perf_counter()
        try:
            found = self._bench.gather(self._job.order, self._job.id)
        except Exception as error:  # noqa: BLE001  the job fails, the worker lives
            return {"failure": asdict(explain(error, self._job.id, "gather"))}
        return {"sources": found, "seconds": {"gather": time.perf_counter() - since}}

    def render(self, number: int, source: Gathered, sources: int) -> dict[str, Any]:
        """Reframe source ``number`` of so many to all targets: ``outputs``, or a failure."""
        teller = Teller(
            self._bench.queue, self._job.id, self._bench.worker, sources * len(self._requests)
        )
        teller.skip(number * len(self._requests))
        share = Share(self._bench.device, self._rank, begin=teller.begin, meanwhile=teller.heed)
        try:
            with self._bench.herald.follow(teller):
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

    def forget_sources(self) -> None:
        """Delete what the job was made of, where nothing is to be kept."""
        try:
            self._bench.store.delete(f"{self._prefix}sources/{self._job.id}/")
        except ReframeError:
            log.warning("sources not deleted yet")  # the sweep comes by later

    def _reframe(
        self, number: int, source: Gathered, share: Share, teller: Teller
    ) -> tuple[list[Output], dict[str, float]]:
        reframer = Reframer(share.of(self._bench.engine), self._bench.limits)
        data = self._bench.store.read(source.blob)
        outputs: list[Output] = []
        seconds: dict[str, float] = {}
        first: dict[str, float] = {}
        for reframed in reframer(data, self._requests, teller):
            outputs.append(self._publish(reframed, number, len(outputs), source.label))
            # decoding and describing happened once, and stand in every record
            new = {step: s for step, s in reframed.seconds.items() if first.get(step) != s}
            for step, value in new.items():
                seconds[step] = seconds.get(step, 0.0) + value
            first = first or reframed.seconds
            teller.finish_picture()
        for step, waited in share.waited.items():
            if step in seconds:  # parts of an engine are called like their steps
                seconds[step] = max(0.0, seconds[step] - waited)
        return outputs, seconds

    def _publish(self, reframed: Reframed, source: int, index: int, label: str) -> Output:
        """Store the picture under a name that only these bytes have.

        So whoever does the job once more changes nothing, and a worker that was believed dead
        cannot put other bytes under the name that was handed out.
        """
        file, size = reframed.file, reframed.plan.target
        sha256 = hashlib.sha256(file.data).hexdigest()
        number = source * len(self._requests) + index
        target, variant = divmod(index, self._job.order.variants)
        extension = file.format.extension
        blob = f"{self._prefix}outputs/{self._job.id}/{number}-{sha256[:12]}{extension}"
        self._put(blob, file.data)
        stem = base_name(label).rpartition(".")[0] or base_name(label)
        ending = f"-{variant + 1}" if self._job.order.variants > 1 else ""
        return Output(
            blob=blob,
            file_name=f"{stem}-{size.width}x{size.height}{ending}{extension}",
            media_type=file.format.media_type,
            width=size.width,
            height=size.height,
            bytes=len(file.data),
            sha256=sha256,
            source=source,
            target=target,
            variant=variant,
            record=reframed.to_json(),
        )

    def _put(self, blob: str, data: bytes) -> None:
        for pause in PAUSES:
            try:
                self._bench.store.put(blob, data)
            except StorageFull:
                time.sleep(pause)
            else:
                return
        self._bench.store.put(blob, data)

    def _leave(self, error: ReframeError, step: str, gpu_seconds: float) -> NoReturn:
        """End the process; whoever starts it anew tries the job once more, and only once."""
        if insist(partial(self._bench.tries.read, self._job.id)) >= TRIES_OF_DEVICE:
            failure = Failure(error.code, error.detail, step)
            fail = self._bench.queue.fail
            insist(partial(fail, self._job.id, failure, gpu_seconds=gpu_seconds))
        self._bench.abandon()
