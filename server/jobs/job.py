"""A job and the moves that it can make.

    queued ──▶ running ──▶ succeeded
      │           ├──────▶ failed
      └───────────┴──────▶ cancelled

A final status never changes.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from server.jobs.order import Order, Task


class Status(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self in {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}


@dataclass(frozen=True, slots=True)
class OutputExtra:
    """A file beside an output; ``kind`` is one of ``pipelines.export.wishes.Extra``."""

    kind: str
    blob: str
    file_name: str
    media_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Output:
    """One picture that a job made; of a plan, the drawing.

    ``blob`` names its bytes in the image store, ``file_name`` is what a download is called.
    ``source``, ``target`` and ``variant`` number, from 0, what it was made of. ``record`` is
    ``Reframed.to_json()``, of a plan ``Drawn.to_json()``.
    """

    blob: str
    file_name: str
    media_type: str
    width: int
    height: int
    bytes: int
    sha256: str
    source: int
    target: int
    variant: int
    record: dict[str, Any]
    extras: tuple[OutputExtra, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: a code of the error trees, a text for the caller, and the step."""

    code: str
    message: str
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """How far a running job is: a step of ``pipelines.progress`` and a share of all its work."""

    step: str
    fraction: float


@dataclass(frozen=True, slots=True)
class Draft:
    """A job to be: what the caller gives.

    ``owner`` is the API key's id. ``idempotency`` names the request among the owner's own; the
    same name with another ``fingerprint`` is a conflict. ``priority`` is 1 (first) to 9.
    ``deadline`` is when the job must have begun. ``id`` is a UUID version 7.
    """

    id: str
    owner: str
    model: str
    order: Order
    callback_url: str | None = None
    client_ref: str | None = None
    metadata: dict[str, Any] | None = None
    idempotency: str | None = None
    fingerprint: str | None = None
    priority: int = 5
    deadline: datetime | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands; times are in UTC.

    ``position`` counts the jobs ahead while it is queued. ``gpu_seconds`` is its share of the
    time that it had the engine. ``nsfw`` is None where nothing was checked. An order that a newer
    program took may not be readable here: then ``order`` is as much of it as is known, and the job
    cannot be carried out.
    """

    id: str
    owner: str
    model: str
    order: Order
    status: Status
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stage: Stage | None = None
    position: int | None = None
    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    callback_url: str | None = None
    client_ref: str | None = None
    metadata: dict[str, Any] | None = None
    request_id: str | None = None
    deadline: datetime | None = None
    gpu_seconds: float = 0.0
    worker: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    is_readable: bool = True

    @property
    def made(self) -> int:
        """How many pictures it made; the drawings of a plan are none."""
        return 0 if self.order.task is Task.PLAN else len(self.outputs)

    @property
    def nsfw(self) -> bool | None:
        """Whether any output was found unsafe."""
        found = [output.record.get("nsfw_detected") for output in self.outputs]
        known = [seen for seen in found if seen is not None]
        return any(known) if known else None
