"""The plan API from the outside: by arithmetic, by a look that others take, and refused."""

import base64
import json
from typing import Any

import pytest

from pipelines.codec.limits import Limits
from pipelines.composition import Composition, Subject
from pipelines.engine import Engine
from pipelines.geometry import Box, Size
from pipelines.plan import Plan
from pipelines.preview.outpainter import PreviewOutpainter
from pipelines.progress import Stopwatch, ignore_progress
from pipelines.reframe import Reframer
from server.images.stores import open_store
from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Failure, Status
from server.work.planning import draw_plan
from server.work.publishing import Publisher
from tests.drawings import draw_meadow, to_png
from tests.server.api.conftest import RUNS, Api

PLANS = "/v1/models/local/smart-resize/plans"
PICTURE = to_png(draw_meadow(60, 40))
DATA_URI = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
BALL = Subject(Box(0.4, 0.35, 0.6, 0.85), "ball", trusted=True)
SEEN = Composition("somebody", subjects=(BALL,))
SKETCH: dict[str, Any] = {"source_size": [60, 40], "aspect_ratio": "1:1"}

CROWDED: dict[str, Any] = {
    "aspect_ratios": ["1:1"] * 60,
    "composition": {"describer": "me", "subjects": [{"box": [0, 0, 1, 1]}] * 100},
    "keep_clear": [[0, 0, 1, 0.1]] * 100,
}
"""Minutes of arithmetic."""


def ask(api: Api, wait: int = 0, **wishes: Any) -> Any:
    answer = api("POST", PLANS, json={"input": wishes}, headers={"Prefer": f"wait={wait}"})
    return answer.status_code, answer.json()


def look(api: Api, job_id: str) -> None:
    """Do what a worker does."""
    queue = DurableQueue(api.engine)
    job = queue.begin(job_id, "worker-1")
    engine = Engine("preview", lambda picture: SEEN, PreviewOutpainter(), 3.0)
    reframer, watch = Reframer(engine, Limits()), Stopwatch(ignore_progress)
    described = reframer.describe(PICTURE, watch)
    made = [draw_plan(reframer, described, each, watch) for each in job.order.requests()]
    publisher = Publisher(open_store(api.data), job)
    outputs = [publisher.publish(each, 0, n, "photo.png") for n, each in enumerate(made)]
    queue.finish(job_id, outputs, gpu_seconds=0.5, seconds={"describe": 0.5})


def test_a_size_alone_is_answered_at_once(api: Api) -> None:
    status, body = ask(api, **SKETCH, target_sizes=["64x48"], presets=["meta/story"])
    assert status == 200
    assert body["id"] is None
    assert body["engine"] == "preview"
    assert body["source"] == {"width": 60, "height": 40, "sha256": None}
    assert body["composition"]["describer"] == "none"
    assert [each["target"] for each in body["plans"]] == [0, 1, 2]
    assert [each["preset"] for each in body["plans"]] == [None, None, "meta/story"]
    for each in body["plans"]:
        plan = Plan.from_fields(each["plan"])
        assert plan.source == Size(60, 40)
        assert each["plan"]["reasons"]
        assert each["overlay"] is None
        assert each["estimated_gpu_seconds"] is None
    assert api("GET", "/v1/runs").json()["items"] == []


def test_what_was_seen_before_is_as_good_as_another_look(api: Api) -> None:
    status, pending = ask(api, image_url=DATA_URI, aspect_ratio="1:1")
    assert status == 202
    look(api, pending["id"])
    looked = api("GET", f"/v1/plans/{pending['id']}").json()
    _, body = ask(api, **SKETCH, composition=looked["composition"])
    assert body["composition"] == looked["composition"]
    assert body["plans"][0]["plan"] == looked["plans"][0]["plan"]
    _, blind = ask(api, **SKETCH)
    assert blind["plans"][0]["plan"] != looked["plans"][0]["plan"]


def test_a_picture_is_looked_at_by_a_worker_first_of_all(api: Api) -> None:
    api.submit()
    answer = api(
        "POST",
        PLANS,
        files={"image": ("photo.png", PICTURE)},
        data={"aspect_ratio": "1:1", "variants": "3", "callback_url": "https://example.com/"},
        headers={"Prefer": "wait=0"},
    )
    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["location"] == body["links"]["self"] == f"/v1/plans/{body['id']}"
    assert body["status_code"] == "queued"
    run = api("GET", body["links"]["run"]).json()
    assert (run["queue_position"], run["callback_url"]) == (0, None)
    assert run["model"] == "local/smart-resize"
    assert run["input"]["task"] == "plan"
    look(api, body["id"])
    answer = api("GET", body["links"]["self"])
    assert answer.status_code == 200
    (plan,) = answer.json()["plans"]
    assert answer.json()["source"]["sha256"]
    assert answer.json()["engine"] == "preview"
    assert plan["estimated_gpu_seconds"] == 0.5, "a look, and nothing to paint"
    overlay = api("GET", plan["overlay"]["url"].removeprefix("http://here"))
    assert overlay.headers["content-type"] == "image/png"
    assert max(plan["overlay"]["width"], plan["overlay"]["height"]) == 1200
    (output,) = api("GET", body["links"]["run"]).json()["output"]["outputs"]
    assert output["file_name"] == "photo-1024x1024-plan.png"


def test_plans_are_listed_to_who_asks_for_them(api: Api) -> None:
    run = api.submit()["id"]
    _, pending = ask(api, image_url=DATA_URI, aspect_ratio="1:1")

    def find(query: str) -> list[str]:
        return [item["id"] for item in api("GET", f"/v1/runs{query}").json()["items"]]

    assert find("") == find("?task=reframe") == [run]
    assert find("?task=plan") == [pending["id"]]
    assert find("?task=all") == [pending["id"], run]
    assert api("GET", "/v1/runs?task=dance").status_code == 422


def test_plans_are_jobs_that_make_no_pictures(api: Api) -> None:
    _, pending = ask(api, image_url=DATA_URI, aspect_ratio="1:1")
    look(api, pending["id"])
    total = api("GET", "/v1/usage").json()["total"]
    assert total == {"jobs": 1, "outputs": 0, "gpu_seconds": 0.5}
    metrics = api("GET", "/metrics").text
    assert "smart_resize_jobs_total{" in metrics
    made = [line for line in metrics.splitlines() if line.startswith("smart_resize_outputs_total{")]
    assert all(float(line.rpartition(" ")[2]) == 0 for line in made)


def test_a_repeated_request_is_answered_by_the_first_plan(api: Api) -> None:
    body = {"input": {"image_url": DATA_URI, "aspect_ratio": "1:1"}}
    headers = {"Idempotency-Key": "plan-1", "Prefer": "wait=0"}
    first = api("POST", PLANS, json=body, headers=headers)
    again = api("POST", PLANS, json=body, headers=headers)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotent-replayed"] == "true"
    as_run = api("POST", RUNS, json=body, headers=headers)
    assert (as_run.status_code, as_run.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")


def test_a_plan_that_failed_says_why(api: Api) -> None:
    queue = DurableQueue(api.engine)
    _, pending = ask(api, image_url=DATA_URI, aspect_ratio="1:1")
    queue.fail(pending["id"], Failure("image_undecodable", "no picture", "decode"))
    answer = api("GET", f"/v1/plans/{pending['id']}")
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["message"]) == ("IMAGE_UNDECODABLE", "no picture")
    _, pending = ask(api, image_url=DATA_URI, aspect_ratio="1:1")
    assert queue.cancel(pending["id"]).status is Status.CANCELLED
    answer = api("GET", f"/v1/plans/{pending['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "RUN_CANCELED")


def test_nobody_elses_plan_is_there_and_no_run_is_one(api: Api) -> None:
    _, pending = ask(api, image_url=DATA_URI, aspect_ratio="1:1")
    _, secret = api.keys.create("another")
    assert api("GET", f"/v1/plans/{pending['id']}", secret=secret).status_code == 404
    assert api("GET", f"/v1/plans/{api.submit()['id']}").status_code == 404
    assert api("POST", PLANS, json={"input": SKETCH}, secret="wrong").status_code == 401


def test_a_given_plan_is_reviewed_anew(api: Api) -> None:
    _, body = ask(api, **SKETCH, composition=SEEN.to_json())
    plan = body["plans"][0]["plan"]
    edited = {**plan, "crop": [0, 0, 24, 24], "place": [0, 0, 1024, 1024], "feather": 0, "rim": 0}
    given: dict[str, Any] = {"source_size": [60, 40], "composition": SEEN.to_json(), "plan": edited}
    status, body = ask(api, **given)
    assert status == 200
    assert [words for words in body["plans"][0]["plan"]["warnings"] if "ball is cut" in words]
    assert Plan.from_fields(body["plans"][0]["plan"]).crop == Box(0, 0, 24, 24)


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({}, "VALIDATION_ERROR"),
        ({"aspect_ratio": "1:1"}, "VALIDATION_ERROR"),
        ({**SKETCH, "image_url": DATA_URI}, "VALIDATION_ERROR"),
        ({"composition": SEEN.to_json(), "aspect_ratio": "1:1"}, "VALIDATION_ERROR"),
        ({**SKETCH, "source_size": [0, 40]}, "VALIDATION_ERROR"),
        ({**SKETCH, "source_size": [60]}, "VALIDATION_ERROR"),
        ({**SKETCH, "source_size": [10**9, 40]}, "VALIDATION_ERROR"),
        ({**SKETCH, "composition": {"subjects": 7}}, "VALIDATION_ERROR"),
        ({**SKETCH, "aspect_ratio": "20:1"}, "UNREACHABLE_TARGET"),
        ({**SKETCH, "magic": 1}, "VALIDATION_ERROR"),
        ({"image_urls": [DATA_URI, DATA_URI], "aspect_ratio": "1:1"}, "VALIDATION_ERROR"),
        ({"source_size": [60, 40], "plan": {"source": 7}}, "INVALID_PLAN"),
        ({**SKETCH, "protect_mask": DATA_URI}, "VALIDATION_ERROR"),
        ({**SKETCH, **CROWDED}, "VALIDATION_ERROR"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_words(
    api: Api, wishes: dict[str, Any], code: str
) -> None:
    status, body = ask(api, **wishes)
    assert (status, body["code"]) == (422, code)
    assert json.dumps(body).isprintable()
    assert api("GET", "/v1/runs").json()["items"] == []
