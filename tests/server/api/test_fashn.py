"""FASHN's door from the outside: conversations written down, and what lies behind the answers."""

import asyncio
import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.api.fashn import CREDITS_USED
from server.doors.fashn import MODEL
from server.doors.fashn.prediction import STYLE
from server.images.memory_folder import SHARED_MEMORY, memory_folder_of
from server.jobs.order import SizeTarget
from tests.drawings import draw_meadow, to_png
from tests.server.api.conftest import Api, open_api
from tests.server.api.transcripts.fashn.player import House, find_transcripts, play

INPUTS = {"image": "https://example.com/portrait.jpg", "aspect_ratio": "16:9"}
PICTURE = to_png(draw_meadow(30, 20))


@pytest.fixture
def house(api: Api) -> Iterator[House]:
    house = House(api)
    yield house
    shutil.rmtree(memory_folder_of(api.data / "pictures", SHARED_MEMORY), ignore_errors=True)


def run(api: Api, query: str = "", **rest: Any) -> httpx2.Response:
    inputs = {**INPUTS, **rest.pop("inputs", {})}
    body = {"model_name": "reframe", "inputs": inputs, **rest.pop("body", {})}
    return api("POST", f"/v1/run{query}", json=body, **rest)


@pytest.mark.parametrize("transcript", find_transcripts("fashn"))
def test_a_conversation_goes_as_it_was_written_down(house: House, transcript: str) -> None:
    for seen, expected in play(house, transcript):
        assert seen == expected


def test_what_is_asked_for_is_what_is_queued(house: House) -> None:
    given = {"resolution": "4k", "num_images": 2, "seed": 5, "output_format": "jpeg"}
    assert run(house.api, inputs=given).status_code == 200
    (job,) = house.jobs()
    assert job.model == MODEL
    assert job.order.sources == (INPUTS["image"],)
    assert job.order.targets == (SizeTarget(width=5440, height=3040),)
    assert (job.order.variants, job.order.seed, job.order.format.value) == (2, 5, "jpeg")
    assert job.request_id


@pytest.mark.parametrize(
    ("query", "body", "url"),
    [
        ("", {}, None),
        ("?webhook_url=https://a.example/hook%3Fx%3D1", {}, "https://a.example/hook?x=1"),
        ("", {"webhook_url": "https://b.example/hook"}, "https://b.example/hook"),
        ("?webhook_url=http://a.example/", {"webhook_url": "x"}, "http://a.example/"),
        ("?webhook_url=", {"webhook_url": ""}, None),
    ],
)
def test_a_webhook_is_named_in_the_query_or_the_body(
    house: House, query: str, body: dict[str, str], url: str | None
) -> None:
    assert run(house.api, query, body=body).status_code == 200
    assert house.jobs()[0].callback_url == url


def test_base64_leaves_nothing_on_a_disk(house: House) -> None:
    image = "data:image/jpg;base64," + base64.b64encode(PICTURE).decode()
    run(house.api, inputs={"image": image, "return_base64": True})
    job = house.finish(picture=PICTURE)
    assert job.order.volatile
    assert job.order.sources[0].startswith("blob:volatile/")
    assert not [path for path in (house.api.data / "pictures").rglob("*") if path.is_file()]
    shown = house.api("GET", f"/v1/status/{job.id}-u1").json()
    assert shown["output"][0].startswith("data:image/png;base64,")
    assert base64.b64decode(shown["output"][0].partition(",")[2]) == PICTURE
    told = STYLE.write(job, lambda output: f"https://here/{output.file_name}")
    assert told == {**shown, "output": ["https://here/output_0.png"]}


def test_an_output_is_there_for_who_has_its_address(house: House) -> None:
    run(house.api)
    job = house.finish(picture=PICTURE)
    (url,) = house.api("GET", f"/v1/status/{job.id}-u1").json()["output"]
    answer = house.api("GET", url, secret="wrong")
    assert (answer.status_code, answer.content) == (200, PICTURE)


def test_another_ones_prediction_is_not_there_nor_another_models(house: House) -> None:
    run(house.api)
    (mine,) = house.jobs()
    _, secret = house.api.keys.create("another")
    unknown = house.api("GET", "/v1/status/nothing-u1")
    theirs = house.api("GET", f"/v1/status/{mine.id}-u1", secret=secret)
    ours = house.api("GET", f"/v1/status/{house.api.submit()['id']}-u1")
    for answer in (unknown, theirs, ours, house.api("GET", "/v1/status/x")):
        assert (answer.status_code, answer.json()) == (404, unknown.json())


def test_a_cancelled_job_is_a_canceled_prediction(house: House) -> None:
    run(house.api)
    (job,) = house.jobs()
    house.queue.cancel(job.id)
    answer = house.api("GET", f"/v1/status/{job.id}-u1")
    assert answer.json()["status"] == "canceled"
    assert answer.headers[CREDITS_USED] == "0"


def test_too_many_requests_and_too_many_jobs_have_names_of_their_own(house: House) -> None:
    _, crowded = house.api.keys.create("crowded", concurrency=1)
    assert run(house.api, secret=crowded).status_code == 200
    answer = run(house.api, secret=crowded)
    assert (answer.status_code, answer.json()["error"]) == (429, "ConcurrencyLimitExceeded")
    assert "retry-after" in answer.headers
    _, slow = house.api.keys.create("slow", rate=1)

    async def asking() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app=house.api.app)
        headers = {"Authorization": f"Bearer {slow}"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
            return [await client.get("/v1/credits", headers=headers) for _ in range(2)]

    first, second = asyncio.run(asking())
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json()["error"] == "RateLimitExceeded"
    assert "retry-after" in second.headers


def test_a_full_queue_is_no_mistake_of_the_callers(house: House) -> None:
    for _ in range(20):
        house.api.submit()
    answer = run(house.api)
    assert (answer.status_code, answer.json()["error"]) == (429, "RateLimitExceeded")
    assert "x-should-retry" not in answer.headers


def test_a_body_that_is_too_large_is_refused_in_its_words(house: House) -> None:
    headers = {"Content-Length": "75000001"}
    answer = house.api("POST", "/v1/run", headers=headers, content=b"{}")
    assert (answer.status_code, answer.json()["error"]) == (400, "BadRequest")
    assert answer.headers["x-should-retry"] == "false"


def test_credits_are_what_the_operator_says(tmp_path: Path) -> None:
    house = House(open_api(tmp_path, balance=7, credits=3))
    told = house.api("GET", "/v1/credits").json()
    assert told == {"credits": {"total": 7, "subscription": 7, "on_demand": 0}}
    run(house.api)
    job = house.finish(picture=PICTURE)
    answer = house.api("GET", f"/v1/status/{job.id}-u1")
    assert answer.json()["status"] == "completed"
    assert answer.headers[CREDITS_USED] == "3"


def test_the_hosted_services_own_name_leads_here(house: House) -> None:
    hosted = {"Host": "api.fashn.ai"}
    assert run(house.api, headers=hosted).status_code == 200
    assert house.api("GET", "/v1/credits", headers=hosted).status_code == 200
