"""FASHN's words: what a prediction says, what errors are, what a webhook is."""

import inspect
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import pipelines.errors
import server.errors
from pipelines.errors import EngineUnavailable, ReframeError, SourceUnavailable, UnreachableTarget
from server.doors.fashn import MODEL
from server.doors.fashn.errors import TOO_MANY_JOBS, refuse
from server.doors.fashn.inputs import SIZES, ReframeInputs
from server.doors.fashn.prediction import (
    NAMES,
    SAME_RATIO,
    STATUSES,
    STYLE,
    find_job_id,
    render_prediction,
)
from server.errors import (
    BlobMissing,
    BodyTooLarge,
    DatabaseUnavailable,
    Forbidden,
    InternalError,
    InvalidBody,
    JobNotFound,
    QueueFull,
    RateLimited,
    StorageFull,
    Unauthenticated,
)
from server.jobs.job import Failure, Job, Output, OutputExtra, Status
from server.jobs.order import Order

JOB = "0199c0de-0000-7000-8000-000000000001"
IMAGE = "https://example.com/portrait.jpg"
PAGE = Path(__file__).parents[3] / "docs" / "doors" / "fashn.md"


def read(**given: Any) -> ReframeInputs:
    return ReframeInputs(**{"image": IMAGE, **given})


def make_output(number: int = 0, source: tuple[int, int] = (300, 300)) -> Output:
    return Output(
        blob=f"outputs/{JOB}/{number}-0123.png",
        file_name="portrait-1360x760.png",
        media_type="image/png",
        width=1360,
        height=760,
        bytes=70,
        sha256="0" * 64,
        source=0,
        target=0,
        variant=number,
        record={"plan": {"source": list(source)}},
    )


def make_job(status: Status, **given: Any) -> Job:
    inputs = read(aspect_ratio="16:9")
    values: dict[str, Any] = {
        "order": Order(sources=(IMAGE,), **inputs.wishes()),
        "metadata": inputs.metadata,
        "created_at": datetime(2026, 11, 1, tzinfo=UTC),
    }
    return Job(id=JOB, owner="key-1", model=MODEL, status=status, **{**values, **given})


def link(output: Output | OutputExtra) -> str:
    return f"https://here/{output.file_name}"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.QUEUED, "in_queue"),
        (Status.RUNNING, "processing"),
        (Status.CANCELLED, "canceled"),
    ],
)
def test_an_unfinished_prediction_has_no_output(status: Status, said: str) -> None:
    assert render_prediction(make_job(status), link) == {
        "id": JOB + "-u1",
        "status": said,
        "output": None,
        "error": None,
    }


def test_a_finished_prediction_lists_its_pictures() -> None:
    job = make_job(Status.SUCCEEDED, outputs=(make_output(0), make_output(1)))
    assert render_prediction(job, link) == {
        "id": JOB + "-u1",
        "status": "completed",
        "output": ["https://here/output_0.png", "https://here/output_1.png"],
        "error": None,
    }
    assert find_job_id(JOB + "-u1") == JOB


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ((1600, 900), "failed"),
        ((1600, 883), "failed"),
        ((1600, 916), "failed"),
        ((1600, 881), "completed"),
        ((1600, 919), "completed"),
        ((900, 1600), "completed"),
    ],
)
def test_a_source_that_has_the_ratio_already_is_an_error(
    source: tuple[int, int], status: str
) -> None:
    job = make_job(Status.SUCCEEDED, outputs=(make_output(source=source),))
    shown = render_prediction(job, link)
    assert shown["status"] == status
    error = {"name": "InputValidationError", "message": SAME_RATIO}
    assert shown["error"] == (error if status == "failed" else None)
    assert (shown["output"] is None) == (status == "failed")


def test_growing_in_a_direction_never_has_the_ratio_already() -> None:
    job = make_job(Status.SUCCEEDED, outputs=(make_output(source=(1600, 900)),))
    grown = replace(job, metadata=read(mode="direction").metadata)
    assert render_prediction(grown, link)["status"] == "completed"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("source_unavailable", "ImageLoadError"),
        ("image_undecodable", "ImageLoadError"),
        ("content_rejected", "ContentModerationError"),
        ("unreachable_plan", "InputValidationError"),
        ("out_of_memory", "PipelineError"),
        ("internal_error", "InternalServerError"),
        ("storage_full", "InternalServerError"),
    ],
)
def test_why_a_prediction_failed_has_a_name_that_clients_know(code: str, name: str) -> None:
    job = make_job(Status.FAILED, failure=Failure(code, "It is no picture."))
    shown = render_prediction(job, link)
    assert shown["status"] == "failed"
    assert shown["output"] is None
    assert shown["error"] == {"name": name, "message": "It is no picture."}


def test_every_name_is_one_of_our_codes() -> None:
    trees = (pipelines.errors, server.errors)
    classes = [found for tree in trees for _, found in inspect.getmembers(tree, inspect.isclass)]
    codes = {found.code for found in classes if issubclass(found, ReframeError)}
    assert set(NAMES) <= codes


@pytest.mark.parametrize(
    ("error", "status", "name", "pointless"),
    [
        (InvalidBody("no"), 400, "BadRequest", True),
        (SourceUnavailable("no"), 400, "BadRequest", True),
        (UnreachableTarget("no"), 400, "BadRequest", True),
        (BodyTooLarge("no"), 400, "BadRequest", True),
        (Unauthenticated("no"), 401, "UnauthorizedAccess", True),
        (Forbidden("no"), 401, "UnauthorizedAccess", True),
        (JobNotFound("no"), 404, "NotFound", True),
        (BlobMissing("no"), 404, "NotFound", True),
        (RateLimited("no", 7.2), 429, "RateLimitExceeded", False),
        (QueueFull("no", 7.2), 429, "RateLimitExceeded", False),
        (DatabaseUnavailable("no"), 500, "InternalServerError", False),
        (StorageFull("no"), 500, "InternalServerError", False),
        (InternalError("no"), 500, "InternalServerError", False),
        (EngineUnavailable("no"), 500, "InternalServerError", True),
    ],
)
def test_errors_say_whether_another_try_is_pointless(
    error: ReframeError, status: int, name: str, *, pointless: bool
) -> None:
    refusal = refuse(error)
    assert refusal.status == status
    assert refusal.body == {"error": name, "message": "no"}
    assert (refusal.headers.get("x-should-retry") == "false") == pointless
    assert not (pointless and "Retry-After" in refusal.headers)


def test_who_is_to_come_back_is_told_when() -> None:
    assert refuse(RateLimited("no", 7.2)).headers == {"Retry-After": "7"}
    assert refuse(DatabaseUnavailable("no")).headers == {"Retry-After": "5"}
    assert refuse(RateLimited("no"), TOO_MANY_JOBS).body["error"] == "ConcurrencyLimitExceeded"


def test_a_webhook_is_the_final_prediction_and_is_tried_for_five_minutes() -> None:
    job = make_job(Status.SUCCEEDED, outputs=(make_output(),))
    assert STYLE.write(job, link) == render_prediction(job, link)
    assert json.dumps(STYLE.write(job, link))
    assert len(STYLE.pauses) == 5
    assert sum(STYLE.pauses) == 300
    assert [STYLE.again(status) for status in (200, 204, 301, 404, 410, 500)] == [False] * 2 + [
        True
    ] * 4


def test_the_page_tells_of_every_size_and_status() -> None:
    page = PAGE.read_text()
    names = []
    for ratio, (width, height) in SIZES.items():
        sizes = " | ".join(f"{width * scale}x{height * scale}" for scale in (1, 2, 4))
        names.append(f"| `{ratio}` | {sizes} |")
    names += [f"`{STATUSES[status]}`" for status in Status]
    names += [", ".join(f"{pause:g}" for pause in STYLE.pauses[:-1])]
    assert [name for name in names if name not in page] == []
