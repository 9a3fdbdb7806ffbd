"""Pixazo's door from the outside: conversations written down, and what lies behind the answers."""

import base64
import io
from typing import Any

import httpx2
import pytest
from PIL import Image

from pipelines.reframe import Reframer
from server.doors.pixazo import MODEL
from server.engines import load_engine
from server.jobs.order import SizeTarget
from server.settings import EngineName
from tests.drawings import draw_meadow, to_png
from tests.server.api.conftest import Api
from tests.server.api.transcripts.fashn.player import House, find_transcripts, play

SUBMIT = "/smart-resize/v1/smart-resize-request"
BODY = {"image_url": "https://example.com/Image.jpeg", "target_sizes": ["64x64", "96x54"]}
PICTURE = to_png(draw_meadow(30, 20))


@pytest.fixture
def house(api: Api) -> House:
    return House(api)


def submit(house: House, **rest: Any) -> httpx2.Response:
    return house.api("POST", SUBMIT, json={**BODY, **rest})


@pytest.mark.parametrize("transcript", find_transcripts("pixazo"))
def test_a_conversation_goes_as_it_was_written_down(house: House, transcript: str) -> None:
    for seen, expected in play(house, transcript):
        assert seen == expected


def test_what_is_asked_for_is_what_is_queued(house: House) -> None:
    given = {"prompt": "keep face centered", "num_images_per_size": 2, "safety_tolerance": "6"}
    assert submit(house, **given, output_format="webp", seed=42).status_code == 200
    (job,) = house.jobs()
    assert job.model == MODEL
    assert job.order.targets == (SizeTarget(width=64, height=64), SizeTarget(width=96, height=54))
    assert (job.order.prompt, job.order.variants) == ("keep face centered", 2)
    assert (job.order.strictness, job.order.format.value, job.order.seed) == (6, "webp", 42)
    assert job.callback_url is None


def test_outputs_have_the_sizes_that_were_asked_for(house: House) -> None:
    image = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
    assert submit(house, image_url=image, num_images_per_size=2).status_code == 200
    requests = house.jobs()[0].order.requests()
    made = Reframer(load_engine(EngineName.PREVIEW))(PICTURE, requests)
    sizes = [Image.open(io.BytesIO(one.file.data)).size for one in made]
    assert sizes == [(64, 64), (64, 64), (96, 54), (96, 54)]


def test_without_a_seed_each_request_gets_its_own(house: House) -> None:
    for _ in range(3):
        submit(house)
    assert len({job.order.seed for job in house.jobs()}) == 3


def test_the_polling_url_leads_to_the_pictures(house: House) -> None:
    accepted = submit(house).json()
    house.finish(picture=PICTURE)
    shown = house.api("GET", accepted["polling_url"]).json()
    for url in shown["output"]["media_url"]:
        answer = house.api("GET", url, secret="wrong")
        assert (answer.status_code, answer.content) == (200, PICTURE)


def test_pictures_that_are_gone_are_not_there(house: House) -> None:
    accepted = submit(house, sync_mode=True).json()
    house.finish()
    assert house.api("GET", accepted["polling_url"]).json()["status"] == "COMPLETED"
    house.forget()
    answer = house.api("GET", accepted["polling_url"])
    assert (answer.status_code, answer.json()["error"]) == (404, "Resource not found")


def test_another_ones_request_is_not_there_nor_another_models(house: House) -> None:
    url = submit(house).json()["polling_url"]
    _, secret = house.api.keys.create("another")
    unknown = house.api("GET", "/v2/requests/status/smart-resize_nothing")
    theirs = house.api("GET", url, secret=secret)
    other = house.api("POST", url, secret=secret)
    ours = house.api("GET", f"/v2/requests/status/smart-resize_{house.api.submit()['id']}")
    for answer in (unknown, theirs, other, ours, house.api("GET", "/v2/requests/status/x")):
        assert (answer.status_code, answer.json()) == (404, unknown.json())


def test_a_cancelled_job_is_a_failed_request(house: House) -> None:
    url = submit(house).json()["polling_url"]
    house.queue.cancel(house.jobs()[0].id)
    shown = house.api("GET", url).json()
    assert (shown["status"], shown["error"]) == ("FAILED", "The request was cancelled.")


def test_who_has_too_many_unfinished_requests_comes_back_later(house: House) -> None:
    _, crowded = house.api.keys.create("crowded", concurrency=1)
    first = house.api("POST", SUBMIT, json=BODY, secret=crowded)
    second = house.api("POST", SUBMIT, json=BODY, secret=crowded)
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json()["statusCode"] == 429
    assert int(second.headers["retry-after"]) >= 1


def test_a_body_that_is_too_large_is_refused_in_its_words(house: House) -> None:
    headers = {"Content-Length": "75000001"}
    answer = house.api("POST", SUBMIT, headers=headers, content=b"{}")
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid request")
