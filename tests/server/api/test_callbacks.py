"""Callbacks as their owner sees them."""

from datetime import UTC, datetime

from server.callbacks.history import Attempt, History
from server.jobs.durable_queue import DurableQueue
from tests.server.api.conftest import RUNS, Api

HOOK = "https://example.com/hook"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def submit(api: Api) -> str:
    given = {"image_url": "https://e.com/a.png", "aspect_ratio": "1:1"}
    answer = api("POST", RUNS, json={"input": given, "callback_url": HOOK})
    return str(answer.json()["id"])


def test_a_secret_is_shown_once(api: Api) -> None:
    made = api("POST", "/v1/callback-secrets", json={"label": "first"})
    assert made.status_code == 201
    plain = made.json()["plain_secret"]
    assert plain.startswith("whsec_")
    second = api("POST", "/v1/callback-secrets", json={}).json()
    listed = api("GET", "/v1/callback-secrets")
    assert plain not in listed.text
    assert [(item["id"], item["is_current"]) for item in listed.json()["items"]] == [
        (second["id"], True),
        (made.json()["id"], False),
    ]
    assert api("DELETE", f"/v1/callback-secrets/{second['id']}").json()["disabled_at"]
    items = api("GET", "/v1/callback-secrets").json()["items"]
    assert [item["is_current"] for item in items] == [False, True]


def test_nobody_ends_another_ones_secret(api: Api) -> None:
    made = api("POST", "/v1/callback-secrets", json={"label": "mine"}).json()
    _, other = api.keys.create("another")
    assert api("DELETE", f"/v1/callback-secrets/{made['id']}", secret=other).status_code == 404
    assert api("GET", "/v1/callback-secrets", secret=other).json()["items"] == []


def test_the_history_shows_every_attempt(api: Api) -> None:
    job_id = submit(api)
    history = History(api.engine)
    delivery = history.open(f"{job_id}-0", job_id, HOOK, b"{}")
    for number, status in ((1, 503), (2, 200)):
        history.begin(delivery, number)
        history.end(delivery, Attempt(number, NOON, NOON, status))
    (item,) = api("GET", f"/v1/runs/{job_id}/callback").json()["items"]
    assert item["delivered"] is True
    assert [attempt["status_code"] for attempt in item["attempts"]] == [503, 200]


def test_only_what_has_ended_is_delivered_again(api: Api) -> None:
    job_id = submit(api)
    path = f"/v1/runs/{job_id}/callback-redeliveries"
    assert api("POST", path).status_code == 409
    DurableQueue(api.engine).cancel(job_id)
    answer = api("POST", path)
    assert answer.status_code == 201
    assert answer.json()["delivery_id"] == f"{job_id}-1"
    without = api.submit()["id"]
    DurableQueue(api.engine).cancel(without)
    assert api("POST", f"/v1/runs/{without}/callback-redeliveries").status_code == 409
