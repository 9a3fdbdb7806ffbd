"""The run API from the outside: what is accepted, what is refused, what is answered."""

import base64
import json

import pytest

from server.jobs.durable_queue import DurableQueue
from server.jobs.job import Stage
from tests.drawings import draw_meadow, to_png
from tests.server.api.conftest import RUNS, Api

PICTURE = to_png(draw_meadow(30, 20))
DATA_URI = "data:image/png;base64," + base64.b64encode(PICTURE).decode()


def test_a_run_is_accepted_and_found_again(api: Api) -> None:
    body = {
        "input": {"image_url": "https://example.com/a.png", "target_sizes": ["1080x1350"]},
        "metadata": {"campaign": "spring"},
        "client_ref": "sku-1",
        "something_new": 1,
    }
    answer = api("POST", RUNS, json=body)
    assert answer.status_code == 201
    run = answer.json()
    assert run["status_code"] == "queued"
    assert run["queue_position"] == 0
    assert run["metadata"] == {"campaign": "spring"}
    assert run["client_ref"] == "sku-1"
    assert answer.headers["location"] == f"/v1/runs/{run['id']}"
    assert api("GET", f"/v1/runs/{run['id']}").json() == run


def test_the_record_has_every_field_of_the_hosted_one(api: Api) -> None:
    names = (
        "id flow_id model_id target_type target_version org_id status_code source_code input output"
        " context duration_ms cost cost_breakdown nodes_total nodes_completed batch_id client_ref"
        " request_id created_by created_at started_at completed_at callback_url metadata has_logs"
        " has_node_runs links failure_code failure_message failure_stage_code node_runs logs"
        " model finished_at error"
    )
    assert set(names.split()) <= set(api.submit())


def test_a_repeated_request_is_answered_by_the_first_run(api: Api) -> None:
    body = {"input": {"image_url": DATA_URI, "aspect_ratio": "1:1"}}
    headers = {"Idempotency-Key": "order-1"}
    first = api("POST", RUNS, json=body, headers=headers)
    again = api("POST", RUNS, json=body, headers=headers)
    assert again.status_code == 201
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotent-replayed"] == "true"
    body["input"]["aspect_ratio"] = "9:16"
    other = api("POST", RUNS, json=body, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert len(api("GET", "/v1/runs").json()["items"]) == 1
    assert len(list((api.data / "pictures/sources").iterdir())) == 1
    _, secret = api.keys.create("another")
    another = api("POST", RUNS, json=body, headers=headers, secret=secret)
    assert another.json()["id"] != first.json()["id"]


def test_a_full_queue_turns_away_and_keeps_nothing(api: Api) -> None:
    for _ in range(20):
        api.submit()
    answer = api("POST", RUNS, json={"input": {"image_url": DATA_URI, "aspect_ratio": "1:1"}})
    assert (answer.status_code, answer.json()["code"]) == (429, "QUEUE_FULL")
    assert int(answer.headers["retry-after"]) >= 1
    assert len(api("GET", "/v1/runs").json()["items"]) == 20
    assert not list((api.data / "pictures").rglob("given*"))


def test_runs_are_listed_page_by_page_and_nobody_elses(api: Api) -> None:
    made = [api.submit()["id"] for _ in range(5)]
    _, secret = api.keys.create("another")
    assert api("GET", "/v1/runs", secret=secret).json()["items"] == []
    first = api("GET", "/v1/runs?limit=3").json()
    second = api("GET", f"/v1/runs?limit=3&pq={first['next_pq']}").json()
    assert [run["id"] for run in first["items"] + second["items"]] == made[::-1]
    assert second["next_pq"] is None
    assert api("GET", "/v1/runs?status=canceled").json()["items"] == []
    assert api("GET", "/v1/runs?status=lost").status_code == 422
    assert api("GET", "/v1/runs?limit=501").status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/logs"),
        ("GET", "/node-runs"),
        ("GET", "/sources"),
        ("GET", "/events"),
        ("GET", "/callback"),
        ("POST", "/callback-redeliveries"),
        ("POST", "/cancel"),
    ],
)
def test_another_ones_run_is_not_there(api: Api, method: str, path: str) -> None:
    run = api.submit()
    _, secret = api.keys.create("another")
    for job_id in (run["id"], "nothing", "%00"):
        answer = api(method, f"/v1/runs/{job_id}{path}", secret=secret)
        assert answer.status_code == 404
        assert answer.json()["code"] in {"RUN_NOT_FOUND", "NOT_FOUND"}
    assert api("GET", f"/v1/runs/{run['id']}").json()["status_code"] == "queued"


def test_a_queued_run_is_cancelled_at_once(api: Api) -> None:
    run = api.submit()
    answer = api("POST", f"/v1/runs/{run['id']}/cancel")
    assert (answer.status_code, answer.json()["status_code"]) == (200, "canceled")
    hosted = api("POST", f"/v1/admin/runs/{run['id']}/cancellation", json={"reason": "a test"})
    assert hosted.status_code == 200
    other = api.submit()
    hosted = api("POST", f"/v1/admin/runs/{other['id']}/cancellation")
    assert hosted.status_code == 201
    lines = api("GET", f"/v1/runs/{run['id']}/logs").json()["items"]
    assert next(line["message"] for line in lines) == "queued"


def test_who_waits_gets_an_answer_in_time(api: Api) -> None:
    body = {"input": {"image_url": DATA_URI, "aspect_ratio": "1:1"}}
    answer = api("POST", RUNS, json=body, headers={"Prefer": "respond-async, wait=1"})
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "wait=1"
    assert answer.json()["status_code"] == "queued"


def test_events_tell_of_the_run_until_its_end(api: Api) -> None:
    run = api.submit()
    queue = DurableQueue(api.engine)
    queue.begin(run["id"], "worker-1")
    queue.report(run["id"], Stage("outpaint", 0.5))
    queue.finish(run["id"], [], gpu_seconds=1.5, seconds={})
    answer = api("GET", f"/v1/runs/{run['id']}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [block for block in answer.text.replace("\r", "").split("\n\n") if "data:" in block]
    assert [block.split("\n")[0] for block in told] == ["event: progress", "event: end"]
    record = json.loads(told[-1].partition("data: ")[2])
    assert record["status_code"] == "succeeded"
    assert record["gpu_seconds"] == 1.5


def test_models_say_what_they_take(api: Api) -> None:
    models = api("GET", "/v1/models").json()["items"]
    assert {model["id"] for model in models} == {
        "local/smart-resize",
        "local/outpaint",
        "runflow/smart-resize",
        "runflow/outpaint",
    }
    one = api("GET", "/v1/models/local/smart-resize").json()
    assert "target_sizes" in one["input_schema"]["properties"]
    assert api("GET", "/v1/models/local/magic").status_code == 404


def test_a_key_has_so_many_unfinished_runs_and_no_more(api: Api) -> None:
    _, secret = api.keys.create("small", concurrency=2)
    body = {"input": {"image_url": "https://e.com/a.png", "aspect_ratio": "1:1"}}
    first = api("POST", RUNS, json=body, secret=secret).json()
    assert api("POST", RUNS, json=body, secret=secret).status_code == 201
    third = api("POST", RUNS, json=body, secret=secret)
    assert (third.status_code, third.json()["code"]) == (429, "RATE_LIMITED")
    assert "retry-after" in third.headers
    api("POST", f"/v1/runs/{first['id']}/cancel", secret=secret)
    assert api("POST", RUNS, json=body, secret=secret).status_code == 201


def test_a_deadline_needs_a_zone(api: Api) -> None:
    body = {"input": {"image_url": "https://e.com/a.png", "aspect_ratio": "1:1"}}
    given = {**body, "deadline": "2026-12-01T12:00:00"}
    assert api("POST", RUNS, json=given).status_code == 422
    given = {**body, "deadline": "2099-12-01T12:00:00+01:00"}
    assert api("POST", RUNS, json=given).status_code == 201


def test_the_schema_tells_what_comes_and_goes(api: Api) -> None:
    schema = api("GET", "/openapi.json").json()
    create = schema["paths"]["/v1/models/{owner}/{model}/runs"]["post"]
    assert create["requestBody"]["content"]["application/json"]["examples"]
    assert create["responses"]["201"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "RunRecord"
    )
    for status in ("401", "413", "422", "429", "503"):
        assert status in create["responses"]
