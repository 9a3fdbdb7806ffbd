"""Results, statuses, errors and webhooks in fal's words."""

import base64
import hashlib
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import SecretStr

from docs.generate import all_errors
from server.callbacks.history import Delivery
from server.doors.fal.refusal import FAULTS, OfModel, find_refusal, refuse
from server.doors.fal.result import render_result
from server.doors.fal.signing_key import FILE, SigningKey, find_signing_key
from server.doors.fal.status import render_logs, render_status, render_submission
from server.doors.fal.webhook import PAUSES, make_style
from server.errors import InvalidBody, JobExpired, JobNotFound, QueueFull, Unavailable
from server.jobs.job import Failure, Job, Output, OutputExtra, Stage, Status
from server.jobs.order import Order, SizeTarget

SINCE = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ID = "0199c0de-0000-7000-8000-000000000001"
AGAIN_STATUSES = {408, 409, 429, 502, 503, 504}
"""After which one client or the other tries again."""


def make_output(target: int, variant: int, **record: Any) -> Output:
    return Output(
        blob=f"outputs/{ID}/{target}{variant}.png",
        file_name=f"a-{target}-{variant}.png",
        media_type="image/png",
        width=9,
        height=9,
        bytes=70,
        sha256="0" * 64,
        source=0,
        target=target,
        variant=variant,
        record={"prompt": f"scene {target}", **record},
    )


def make_job(status: Status = Status.SUCCEEDED, **changes: Any) -> Job:
    targets = (SizeTarget(width=1024, height=768), SizeTarget(width=768, height=1344))
    order = Order(sources=("https://example.com/a.png",), targets=targets, seed=7, variants=2)
    job = Job(
        id=ID,
        owner="key-1",
        model="fal-ai/smart-resize",
        order=order,
        status=status,
        created_at=SINCE,
        started_at=None if status is Status.QUEUED else SINCE + timedelta(seconds=1),
        finished_at=SINCE + timedelta(seconds=3.5) if status.is_final else None,
        metadata={"resolution": "1K", "sync_mode": False},
    )
    if status is Status.SUCCEEDED:
        pairs = [(target, variant) for target in (0, 1) for variant in (0, 1)]
        job = replace(job, outputs=tuple(make_output(*pair) for pair in pairs[::-1]))
    if status is Status.FAILED:
        job = replace(job, failure=Failure("image_undecodable", "It is no picture."))
    return replace(job, **changes)


def link(output: Output | OutputExtra) -> str:
    return f"https://here/{output.file_name}"


def test_images_are_flat_and_once_more_target_by_target() -> None:
    body = render_result(make_job(), link)
    names = [image["file_name"] for image in body["images"]]
    assert names == ["a-0-0.png", "a-0-1.png", "a-1-0.png", "a-1-1.png"]
    assert body["images"] == [image for result in body["results"] for image in result["images"]]
    assert body["description"] == "scene 0"
    first, second = body["results"]
    assert {name: first[name] for name in first if name != "images"} == {
        "description": "scene 0",
        "aspect_ratio": "4:3",
        "resolution": "1K",
        "width": 1024,
        "height": 768,
    }
    assert (second["aspect_ratio"], second["resolution"]) == ("9:16", "1K")
    assert body["images"][0] == {
        "url": "https://here/a-0-0.png",
        "content_type": "image/png",
        "file_name": "a-0-0.png",
        "file_size": 70,
        "width": 9,
        "height": 9,
    }
    assert "has_nsfw_concepts" not in body


def test_the_resolution_is_the_least_that_is_named() -> None:
    body = render_result(make_job(metadata={"resolution": "4K"}), link)
    assert [result["resolution"] for result in body["results"]] == ["4K", "4K"]


def test_what_is_not_safe_for_work_is_marked_where_somebody_looked() -> None:
    outputs = (make_output(1, 0, nsfw_detected=True), make_output(0, 0, nsfw_detected=False))
    body = render_result(make_job(outputs=outputs), link)
    assert body["has_nsfw_concepts"] == [False, True]


def test_a_submission_tells_where_to_ask() -> None:
    body = render_submission(make_job(Status.QUEUED, position=3), "https://here/fal/queue")
    own = f"https://here/fal/queue/fal-ai/smart-resize/requests/{ID}"
    assert body == {
        "status": "IN_QUEUE",
        "request_id": ID,
        "gateway_request_id": ID,
        "response_url": own,
        "status_url": f"{own}/status",
        "cancel_url": f"{own}/cancel",
        "queue_position": 3,
        "logs": [],
        "metrics": {},
    }


REFUSED = {
    "code": "invalid_body",
    "message": "Field required",
    "errors": [{"loc": ["body", "image_url"], "msg": "Field required", "type": "missing"}],
}


@pytest.mark.parametrize(
    ("job", "status", "more"),
    [
        (make_job(Status.QUEUED, position=2), "IN_QUEUE", {"queue_position": 2}),
        (make_job(Status.QUEUED), "IN_QUEUE", {"queue_position": 0}),
        (make_job(Status.RUNNING), "IN_PROGRESS", {}),
        (make_job(), "COMPLETED", {"metrics": {"inference_time": 2.5}}),
        (
            make_job(Status.FAILED),
            "COMPLETED",
            {"error": "It is no picture.", "error_type": "image_load_error"},
        ),
        (make_job(Status.CANCELLED), "COMPLETED", {"error_type": "client_cancelled"}),
        (
            make_job(Status.QUEUED, metadata={"refused": REFUSED}),
            "COMPLETED",
            {"error": "Field required", "error_type": "missing"},
        ),
    ],
)
def test_a_status_is_one_of_three(job: Job, status: str, more: dict[str, Any]) -> None:
    body = render_status(job, "https://here", [])
    assert body["status"] == status
    assert body["logs"] == []
    assert body.items() >= more.items()
    assert ("queue_position" in body) is (status == "IN_QUEUE")
    assert ("metrics" in body) is (status == "COMPLETED")


def test_the_log_has_every_field_and_each_line_is_told_once() -> None:
    running = make_job(Status.RUNNING, stage=Stage("outpaint", 0.5))
    lines = render_logs(running)
    assert [line["message"] for line in lines] == ["started", "outpaint, 50% done"]
    assert all(set(line) == {"message", "level", "source", "timestamp"} for line in lines)
    assert {line["source"] for line in lines} == {"USER"}
    assert datetime.fromisoformat(lines[0]["timestamp"]) == running.started_at
    ended = make_job(outputs=(make_output(0, 0, warnings=["it is soft"]),))
    later = render_logs(ended, ["started", "outpaint, 50% done"])
    assert [(line["level"], line["message"]) for line in later] == [
        ("WARN", "a-0-0.png: it is soft"),
        ("INFO", "done"),
    ]
    assert render_logs(make_job(Status.FAILED))[-1]["level"] == "ERROR"


def test_every_error_has_an_answer() -> None:
    assert set(FAULTS) == {kind.code for kind in all_errors()}


def test_what_stays_as_it_is_is_never_tried_again() -> None:
    for kind in all_errors():
        fault = FAULTS[kind.code]
        again = not isinstance(fault, OfModel) and fault.again
        assert again or kind is JobExpired or fault.status not in AGAIN_STATUSES


def test_the_model_and_the_service_have_a_shape_each() -> None:
    field = {"loc": ["body", "seed"], "msg": "It is odd", "type": "odd", "input": 3}
    of_model = refuse(InvalidBody("It is odd", [field]))
    url = "https://docs.fal.ai/errors#odd"
    assert (of_model.status, of_model.body) == (422, {"detail": [{**field, "url": url}]})
    assert of_model.headers == {
        "X-Fal-Error-Type": "odd",
        "X-Fal-Retryable": "false",
        "X-Fal-Needs-Retry": "0",
    }
    of_service = refuse(QueueFull(retry_after=9.6))
    assert of_service.body == {
        "detail": "The queue is full; try later.",
        "error_type": "concurrent_requests_limit",
    }
    assert of_service.headers == {
        "X-Fal-Error-Type": "concurrent_requests_limit",
        "X-Fal-Retryable": "true",
        "X-Fal-Needs-Retry": "1",
        "Retry-After": "10",
    }
    assert refuse(JobNotFound()).body["status"] == "NOT_FOUND"
    assert refuse(JobExpired()).headers["X-Fal-Request-Timeout-Type"] == "user"


def test_only_a_job_that_made_nothing_is_an_error() -> None:
    assert find_refusal(make_job()) is None
    assert find_refusal(make_job(Status.RUNNING)) is None
    failed = find_refusal(make_job(Status.FAILED))
    assert failed is not None
    assert failed.body["detail"][0]["loc"] == ["body", "image_url"]
    cancelled = find_refusal(make_job(Status.CANCELLED))
    assert cancelled is not None
    assert cancelled.status == 499


def verify(keys: dict[str, Any], headers: dict[str, str], body: bytes) -> None:
    """As the hosted service tells its users to."""
    names = ("Request-Id", "User-Id", "Timestamp")
    parts = [headers[f"X-Fal-Webhook-{name}"] for name in names]
    message = "\n".join([*parts, hashlib.sha256(body).hexdigest()]).encode()
    signature = bytes.fromhex(headers["X-Fal-Webhook-Signature"])
    for key in keys["keys"]:
        public = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)


def test_a_webhook_is_signed_as_the_key_set_proves() -> None:
    key = SigningKey(b"k" * 32)
    style = make_style(key, clock=lambda: 1_760_000_000.9)
    body = json.dumps(style.write(make_job(), link)).encode()
    headers = style.sign(make_job(), Delivery("d", ID, "https://e.com", body, SINCE))
    assert headers["X-Fal-Webhook-Timestamp"] == "1760000000"
    assert headers["X-Fal-Webhook-User-Id"] == "key-1"
    verify(key.render_keys(), headers, body)
    with pytest.raises(InvalidSignature):
        verify(key.render_keys(), headers, body + b" ")
    with pytest.raises(InvalidSignature):
        verify(SigningKey(b"x" * 32).render_keys(), headers, body)


def test_a_webhook_tells_the_result_or_the_error() -> None:
    style = make_style(SigningKey(b"k" * 32))
    told = style.write(make_job(), link)
    assert (told["request_id"], told["gateway_request_id"], told["status"]) == (ID, ID, "OK")
    assert told["payload"] == render_result(make_job(), link)
    told = style.write(make_job(Status.FAILED, metadata={"refused": REFUSED}), link)
    assert (told["status"], told["error"]) == ("ERROR", "Invalid status code: 422")
    assert told["payload"]["detail"][0]["type"] == "missing"


def test_a_webhook_is_sent_ten_times_more_in_two_hours() -> None:
    style = make_style(SigningKey(b"k" * 32))
    assert style.pauses == PAUSES
    assert len(PAUSES) == 10
    assert 6600 < sum(PAUSES) < 7800
    assert [style.again(status) for status in (200, 299, 302, 404, 500)] == [False] * 2 + [True] * 3


def test_the_key_is_made_once_whoever_asks_and_nobody_else_reads_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: find_signing_key(tmp_path, None).render_keys(), range(8)))
    assert all(key == keys[0] for key in keys)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert find_signing_key(tmp_path, None).render_keys() == keys[0]
    (tmp_path / FILE).write_bytes(b"short")
    with pytest.raises(Unavailable, match="webhooks"):
        find_signing_key(tmp_path, None)


def test_machines_that_share_a_secret_sign_alike_and_nothing_lies_about(tmp_path: Path) -> None:
    shared = SecretStr("long and secret")
    first = find_signing_key(tmp_path / "a", shared).render_keys()
    assert find_signing_key(tmp_path / "b", shared).render_keys() == first
    assert find_signing_key(tmp_path, SecretStr("another")).render_keys() != first
    assert not list(tmp_path.iterdir())
