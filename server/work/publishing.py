"""What a job made, put into the image store under names that only these bytes have."""

import hashlib
import time
from collections.abc import Mapping
from typing import Any, Protocol

from pipelines.codec.encode import Encoded
from pipelines.export.files import ExtraFile
from pipelines.plan import Plan
from pipelines.target import fixed_size
from server.errors import StorageFull
from server.images.label import base_name, tell_apart
from server.images.store import VOLATILE, ImageStore
from server.jobs.job import Job, Output, OutputExtra
from server.jobs.order import Order, SizeTarget, Task

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between tries to publish where the disk is full: others may make room."""


class Made(Protocol):
    """What one request became: a ``Reframed``, or a plan that was ``Drawn``."""

    @property
    def plan(self) -> Plan:
        """What was planned for it."""
        ...

    @property
    def file(self) -> Encoded:
        """The picture."""
        ...

    @property
    def extras(self) -> tuple[ExtraFile, ...]:
        """The files beside it."""
        ...

    @property
    def seconds(self) -> Mapping[str, float]:
        """The wall time of each step."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The record; its ``output`` has the picture's ``size``."""
        ...


class Publisher:
    """Stores one job's outputs.

    Whoever does the job once more changes nothing, and a worker that was believed dead cannot put
    other bytes under a name that was handed out.
    """

    def __init__(self, store: ImageStore, job: Job) -> None:
        """Nothing is stored yet."""
        self._store, self._order = store, job.order
        self._marks = _list_marks(job.order)
        prefix = VOLATILE if job.order.volatile else ""
        self._folder = f"{prefix}outputs/{job.id}/"

    def publish(self, made: Made, source: int, index: int, label: str) -> Output:
        """Store what request ``index`` of source ``source``, called ``label``, became."""
        number = source * len(self._order.targets) * self._order.variants + index
        target, variant = divmod(index, self._order.variants)
        stem = self._stem(made, target, variant, label)
        record = made.to_json()
        width, height = record["output"]["size"]
        file, extension = made.file, made.file.format.extension
        sha256 = hashlib.sha256(file.data).hexdigest()
        blob = f"{self._folder}{number}-{sha256[:12]}{extension}"
        self._put(blob, file.data)
        return Output(
            blob=blob,
            file_name=f"{stem}{extension}",
            media_type=file.format.media_type,
            width=width,
            height=height,
            bytes=len(file.data),
            sha256=sha256,
            source=source,
            target=target,
            variant=variant,
            record=record,
            extras=tuple(self._publish_extra(extra, number, stem) for extra in made.extras),
        )

    def _publish_extra(self, extra: ExtraFile, number: int, stem: str) -> OutputExtra:
        sha256 = hashlib.sha256(extra.data).hexdigest()
        blob = f"{self._folder}{number}-{sha256[:12]}-{extra.kind}{extra.extension}"
        self._put(blob, extra.data)
        return OutputExtra(
            kind=extra.kind.value,
            blob=blob,
            file_name=f"{stem}-{extra.kind}{extra.extension}",
            media_type=extra.media_type,
            bytes=len(extra.data),
            sha256=sha256,
        )

    def _stem(self, made: Made, target: int, variant: int, label: str) -> str:
        """What the files are called; no two outputs of a source share it."""
        name, mark = base_name(label), self._marks[target]
        stem = f"{name.rpartition('.')[0] or name}-{made.plan.target}{mark}"
        if self._order.task is Task.PLAN:
            return f"{stem}-plan"
        return f"{stem}-{variant + 1}" if self._order.variants > 1 else stem

    def _put(self, blob: str, data: bytes) -> None:
        for pause in PAUSES:
            try:
                self._store.put(blob, data)
            except StorageFull:
                time.sleep(pause)
            else:
                return
        self._store.put(blob, data)


def _list_marks(order: Order) -> list[str]:
    """What a target's files have after their size, so that no other's are called the same."""
    targets = [request.target for request in order.requests()[:: order.variants]]
    sizes = [str(fixed_size(target) or "") for target in targets]
    presets = [each.preset if isinstance(each, SizeTarget) else None for each in order.targets]
    names = tell_apart(zip(sizes, presets, strict=True))
    return [name.removeprefix(size) for name, size in zip(names, sizes, strict=True)]
