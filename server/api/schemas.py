"""What the API answers with, for its documentation: the code renders plain dictionaries."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ErrorBody(BaseModel):
    """Every error; ``code`` is stable, ``errors`` names fields where some were wrong."""

    code: str = Field(examples=["VALIDATION_ERROR"])
    message: str
    errors: list[dict[str, Any]] | None = None


class ExtraBody(BaseModel):
    """A file beside an output."""

    kind: Literal["mask", "generated", "difference", "record"]
    url: str = Field(description="Signed, and valid for a while; needs no key.")
    file_name: str
    content_type: str = Field(examples=["image/png", "application/json"])
    file_size: int = Field(description="Bytes.")
    sha256: str


class OutputBody(BaseModel):
    """One picture that a run made."""

    model_config = ConfigDict(extra="allow")

    type: Literal["image"]
    url: str = Field(description="Signed, and valid for a while; needs no key.")
    file_name: str
    content_type: str = Field(examples=["image/png"])
    width: int
    height: int
    file_size: int = Field(description="Bytes.")
    sha256: str
    source: int = Field(description="Number of the picture that it was made of, from 0.")
    target: int = Field(description="Number of the target that it was made for, from 0.")
    variant: int
    seed: int | None
    engine: str | None = Field(description="Who painted.")
    needs_review: bool | None
    warnings: list[str]
    record: dict[str, Any] = Field(description="Plan, proof, seam, seconds: all that is known.")
    extras: list[ExtraBody] = Field(description="What input.extras asked for.")


class ResultBody(BaseModel):
    """What a run made."""

    outputs: list[OutputBody]
    seed: int | None
    timing: dict[str, float] = Field(description="Seconds of each step.")
    nsfw_detected: bool | None = Field(description="Null where nothing was checked.")


class StageBody(BaseModel):
    """How far a running run is."""

    step: str = Field(examples=["outpaint"])
    fraction: float = Field(description="Of all its work, 0 to 1.")


class RunRecord(BaseModel):
    """A run as it stands."""

    model_config = ConfigDict(extra="allow")

    id: str
    model_id: str = Field(examples=["local/smart-resize"])
    status_code: Literal["queued", "dispatching", "running", "succeeded", "failed", "canceled"]
    input: dict[str, Any]
    output: ResultBody | None
    queue_position: int | None = Field(description="Runs ahead, while it is queued.")
    progress: StageBody | None
    failure_code: str | None
    failure_message: str | None
    failure_stage_code: str | None
    client_ref: str | None
    metadata: dict[str, Any] | None
    callback_url: str | None
    duration_ms: int | None
    gpu_seconds: float
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


class RunPage(BaseModel):
    """Some runs, the newest first."""

    items: list[RunRecord]
    next_pq: str | None
    prev_pq: str | None


class SourceBody(BaseModel):
    """One picture that a run was given."""

    source: int = Field(description="Number of the picture, as outputs have it, from 0.")
    url: str | None = Field(
        description="Signed, and valid for a while; needs no key. Null until the server has the "
        "picture, and once it keeps it no longer."
    )
    file_name: str
    content_type: str | None = Field(
        description="By its first bytes; null like url.", examples=["image/jpeg"]
    )
    file_size: int | None = Field(description="Bytes; null like url.")
    sha256: str | None = Field(description="Of the file as it was given; null like url.")


class SourcePage(BaseModel):
    """All pictures that a run was given, in their order."""

    items: list[SourceBody]


class SourceSize(BaseModel):
    """The picture that plans are for."""

    width: int
    height: int
    sha256: str | None = Field(description="Null where nobody has seen it.")


class OverlayBody(BaseModel):
    """A plan drawn over its source."""

    url: str = Field(description="A PNG; signed, and valid for a while.")
    width: int
    height: int


class PlanItem(BaseModel):
    """What would be done for one target."""

    target: int = Field(description="Number of the target, from 0.")
    preset: str | None = Field(examples=["meta/story"])
    plan: dict[str, Any] = Field(description="May be edited, and given to a run as input.plan.")
    estimated_gpu_seconds: float | None = Field(
        description="Time of the engine, which for preview is a processor's. "
        "Judged by the latest runs; null where there was none like it."
    )
    overlay: OverlayBody | None = Field(description="Null where there is no picture.")


class PlanAnswer(BaseModel):
    """The plans of one picture."""

    id: str | None = Field(description="Of the run that looked; null where nobody had to.")
    engine: str = Field(description="Who planned, and would paint.", examples=["preview"])
    source: SourceSize
    composition: dict[str, Any] = Field(
        description="What was seen; given back as input.composition, nobody looks again."
    )
    plans: list[PlanItem]


class PlanPending(BaseModel):
    """A plan that a worker has yet to make."""

    id: str
    status_code: Literal["queued", "running"]
    links: dict[str, str] = Field(description="Where to ask again, to follow and to cancel.")


FORM: dict[str, Any] = {
    "schema": {
        "type": "object",
        "properties": {
            "image": {"type": "string", "format": "binary"},
            "protect_mask": {"type": "string", "format": "binary"},
            "aspect_ratio": {"type": "string"},
        },
        "additionalProperties": True,
    }
}
"""A body as a form: files by any name, and the input's fields."""

FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": words}
    for status, words in {
        400: "The body is not JSON.",
        401: "No valid key.",
        404: "There is no such thing, or it is another key's.",
        409: "It contradicts what is there.",
        413: "The body is too large.",
        422: "A field is wrong, or nothing could make what was asked for.",
        429: "Too many requests or jobs; Retry-After says when to come back.",
        503: "The server cannot do it at the moment; Retry-After says when to come back.",
        507: "There is no room for pictures.",
    }.items()
}
"""What any route may answer."""
