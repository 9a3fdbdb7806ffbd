"""Pixazo's words: how a request stands, what errors are."""

import inspect
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import pipelines.errors
import server.errors
from pipelines.errors import EngineUnavailable, ReframeError, SourceUnavailable, UnreachableTarget
from server.doors.pixazo import MODEL
from server.doors.pixazo.errors import refuse
from server.doors.pixazo.inputs import ResizeBody
from server.doors.pixazo.status import (
    CALLERS,
    STATUSES,
    find_job_id,
    is_inline,
    render_accepted,
    render_status,
)
from server.errors import (
    AssetNotFound,
    BlobMissing,
    BodyTooLarge,
    DatabaseUnavailable,
    Forbidden,
    InternalError,
    InvalidBody,
    JobNotFound,
    MalformedBody,
    NotFound,
    RateLimited,
    SourceForbidden,
    Unauthenticated,
)
from server.jobs.job import Failure, Job, Output, OutputExtra, Status
from server.jobs.order import Order

JOB = "0199c0de-0000-7000-8000-000000000001"
IMAGE = "https://example.com/Image.jpeg"
PAGE = Path(__file__).parents[3] / "docs" / "doors" / "pixazo.md"
NOON = datetime(2026, 3, 31, 10, 0, tzinfo=UTC)


def read(**given: Any) -> ResizeBody:
    return ResizeBody(**{"image_url": IMAGE, "target_sizes": ["1024x1024", "1920x1080"], **given})


def make_output(variant: int = 0, width: int = 1024, height: int = 1024) -> Output:
    return Output(
        blob=f"outputs/{JOB}/0-0123.jpg",
        file_name="Image.jpg",
        media_type="image/jpeg",
        width=width,
        height=height,
        bytes=70,
        sha256="0" * 64,
        source=0,
        target=0,
        variant=variant,
        record={},
    )


def make_job(status: Status, **given: Any) -> Job:
    body = read(output_format="jpeg")
    return Job(
        id=JOB,
        owner="key-1",
        model=MODEL,
        order=Order(sources=(IMAGE,), seed=1, **body.wishes()),
        status=status,
        created_at=NOON,
        metadata=body.metadata,
        **given,
    )


def link(output: Output | OutputExtra) -> str:
    return f"https://here/{output.file_name}"


def test_an_accepted_request_says_where_to_look() -> None:
    own = f"smart-resize_{JOB}"
    assert render_accepted(make_job(Status.QUEUED), "https://here") == {
        "request_id": own,
        "status": "QUEUED",
        "polling_url": f"https://here/v2/requests/status/{own}",
    }
    assert find_job_id(own) == JOB


def test_a_finished_request_lists_its_pictures() -> None:
    job = make_job(
        Status.SUCCEEDED,
        started_at=NOON.replace(second=1),
        finished_at=NOON.replace(second=15, microsecond=7999),
        outputs=(make_output(), make_output(1), make_output(0, 1920, 1080)),
    )
    assert render_status(job, link) == {
        "request_id": f"smart-resize_{JOB}",
        "status": "COMPLETED",
        "model_id": "smart-resize",
        "error": None,
        "output": {
            "media_url": [
                "https://here/output_1024x1024_0.jpg",
                "https://here/output_1024x1024_1.jpg",
                "https://here/output_1920x1080_0.jpg",
            ],
            "media_type": "image/jpeg",
        },
        "created_at": "2026-03-31T10:00:00.000Z",
        "updated_at": "2026-03-31T10:00:15.007Z",
        "completed_at": "2026-03-31T10:00:15.007Z",
    }


def test_an_unfinished_request_has_neither_output_nor_error() -> None:
    queued = render_status(make_job(Status.QUEUED), link)
    assert (queued["status"], queued["updated_at"]) == ("QUEUED", "2026-03-31T10:00:00.000Z")
    running = render_status(make_job(Status.RUNNING, started_at=NOON.replace(second=2)), link)
    assert (running["status"], running["updated_at"]) == ("PROCESSING", "2026-03-31T10:00:02.000Z")
    for shown in (queued, running):
        assert (shown["output"], shown["error"], shown["completed_at"]) == (None, None, None)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("source_unavailable", "FAILED"),
        ("image_undecodable", "FAILED"),
        ("content_rejected", "FAILED"),
        ("out_of_memory", "ERROR"),
        ("worker_lost", "ERROR"),
        ("internal_error", "ERROR"),
    ],
)
def test_a_failure_tells_whose_fault_it_was(code: str, status: str) -> None:
    job = make_job(Status.FAILED, finished_at=NOON, failure=Failure(code, "It is no picture."))
    shown = render_status(job, link)
    assert (shown["status"], shown["error"], shown["output"]) == (
        status,
        "It is no picture.",
        None,
    )


def test_a_cancelled_request_has_failed() -> None:
    shown = render_status(make_job(Status.CANCELLED, finished_at=NOON), link)
    assert (shown["status"], shown["error"]) == ("FAILED", "The request was cancelled.")


def test_callers_codes_are_codes_of_ours() -> None:
    trees = (pipelines.errors, server.errors)
    classes = [found for tree in trees for _, found in inspect.getmembers(tree, inspect.isclass)]
    assert {found.code for found in classes if issubclass(found, ReframeError)} >= CALLERS


def test_only_sync_mode_wants_the_pictures_themselves() -> None:
    job = make_job(Status.QUEUED)
    assert not is_inline(job)
    assert is_inline(replace(job, metadata=read(sync_mode=True).metadata))


def invalid(kind: str, *place: str | int) -> InvalidBody:
    return InvalidBody("a detail", [{"loc": ["body", *place], "msg": "a word", "type": kind}])


FORMAT = {
    "error": "Invalid target_sizes format",
    "details": "Each item in target_sizes must be in format 'widthxheight'",
}


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (invalid("value_error", "target_sizes", 1), FORMAT),
        (invalid("list_type", "target_sizes"), FORMAT),
        (
            invalid("missing", "target_sizes"),
            {"error": "Missing target_sizes", "details": "a word"},
        ),
        (
            invalid("too_short", "target_sizes"),
            {"error": "Invalid target_sizes", "details": "a word"},
        ),
        (
            invalid("too_long", "target_sizes"),
            {"error": "target_sizes is too long", "details": "a word"},
        ),
        (
            invalid("string_too_long", "prompt"),
            {"error": "prompt is too long", "details": "a word"},
        ),
        (invalid("missing", "image_url"), {"error": "Missing image_url", "details": "a word"}),
        (invalid("enum", "resolution"), {"error": "Invalid resolution", "details": "a word"}),
        (invalid("value_error"), {"error": "Invalid request", "details": "a word"}),
        (MalformedBody("no JSON"), {"error": "Invalid request", "details": "no JSON"}),
        (UnreachableTarget("far"), {"error": "Invalid target_sizes", "details": "far"}),
        (SourceUnavailable("gone"), {"error": "Invalid image_url", "details": "gone"}),
        (SourceForbidden("inside"), {"error": "Invalid image_url", "details": "inside"}),
        (BodyTooLarge("large"), {"error": "Invalid request", "details": "large"}),
    ],
)
def test_a_mistake_names_its_field(error: ReframeError, body: dict[str, str]) -> None:
    assert refuse(error) == (400, body, {})


def test_what_is_not_there_is_said_so() -> None:
    nothing = {"error": "Resource not found", "details": "The requested endpoint does not exist"}
    assert refuse(NotFound()) == (404, nothing, {})
    for error in (JobNotFound("no job"), AssetNotFound("no job"), BlobMissing("no job")):
        assert refuse(error) == (404, {"error": "Resource not found", "details": "no job"}, {})


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (Unauthenticated("no"), 401, {}),
        (Forbidden("no"), 403, {}),
        (RateLimited("no", 7.2), 429, {"Retry-After": "7"}),
        (DatabaseUnavailable("no"), 500, {"Retry-After": "5"}),
        (InternalError("no"), 500, {}),
        (EngineUnavailable("no"), 500, {}),
    ],
)
def test_a_gateways_errors_come_in_its_words_too(
    error: ReframeError, status: int, headers: dict[str, str]
) -> None:
    refusal = refuse(error)
    assert (refusal.status, refusal.headers) == (status, headers)
    assert set(refusal.body) == {"error", "details", "statusCode", "message"}
    assert refusal.body["statusCode"] == status
    assert refusal.body["message"] == refusal.body["details"] == "no"


def test_the_page_tells_of_every_field_status_and_error() -> None:
    page = PAGE.read_text()
    names = [*ResizeBody.model_fields, *render_status(make_job(Status.QUEUED), link), "ERROR"]
    missing = [name for name in (*names, *STATUSES.values()) if f"`{name}`" not in page]
    assert missing == []
