"""FASHN's own Python client, as it is published, against this server."""

import asyncio
import base64
import io
from collections.abc import Iterator
from typing import Any, Self

import fashn
import httpx2
import pytest
from fashn import DefaultHttpxClient, Fashn
from PIL import Image

from server.jobs.order import SizeTarget
from tests.clients.fashn.house import PORTRAIT, Live, open_house

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with open_house(tmp_path_factory.mktemp("house")) as live:
        yield live


class Counted:
    """A client, and which requests it has sent."""

    def __init__(self, live: Live, **given: Any) -> None:
        self.sent: list[str] = []
        hooks = {"request": [lambda request: self.sent.append(request.url.path)]}
        values = {"base_url": live.url, "api_key": live.secret, **given}
        self.client = Fashn(http_client=DefaultHttpxClient(event_hooks=hooks), **values)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def subscribe(self, inputs: dict[str, Any], **rest: Any) -> Any:
        ask: Any = self.client.predictions.subscribe
        return ask(model_name="reframe", inputs=inputs, poll_interval=30, **rest)

    def run(self, inputs: dict[str, Any], **rest: Any) -> Any:
        ask: Any = self.client.predictions.run
        return ask(model_name=rest.pop("model_name", "reframe"), inputs=inputs, **rest)


def test_subscribe_ends_with_pictures_that_anybody_can_fetch(live: Live) -> None:
    enqueued: list[str] = []
    updates: list[str] = []
    with Counted(live) as counted:
        ended = counted.subscribe(
            live.inputs(num_images=2, seed=7),
            on_enqueued=enqueued.append,
            on_queue_update=lambda seen: updates.append(seen.status),
        )
    assert ended.status == "completed"
    assert ended.error is None
    assert ended.credits_used == 0
    assert enqueued == [ended.id]
    assert updates[-1] == "completed"
    assert set(updates) <= {"in_queue", "processing", "completed"}
    assert len(ended.output) == 2
    for number, url in enumerate(ended.output):
        assert url.endswith(f"/output_{number}.png")
        assert Image.open(io.BytesIO(httpx2.get(url).content)).size == (1360, 760)


def test_tiers_that_the_client_does_not_know_reach_the_server(live: Live) -> None:
    with Counted(live) as counted, live.rest():
        accepted = counted.run(live.inputs(aspect_ratio="9:16", resolution="2k"))
        (job,) = (job for job in live.house.jobs() if accepted.id.startswith(job.id))
        assert job.order.targets == (SizeTarget(width=1520, height=2720),)
        live.house.queue.cancel(job.id)


def test_a_picture_can_come_and_go_as_base64(live: Live) -> None:
    image = "data:image/jpg;base64," + base64.b64encode(PORTRAIT).decode()
    given = {"image": image, "aspect_ratio": "1:1", "output_format": "jpeg", "return_base64": True}
    with Counted(live) as counted:
        (picture,) = counted.subscribe(given).output
    assert picture.startswith("data:image/jpeg;base64,")
    opened = Image.open(io.BytesIO(base64.b64decode(picture.partition(",")[2])))
    assert (opened.format, opened.size) == ("JPEG", (1024, 1024))


def test_a_webhook_is_sent_until_it_is_taken(live: Live) -> None:
    live.receiver.got.clear()
    live.receiver.answers[:] = [503, 404]
    with Counted(live) as counted:
        accepted = counted.run(live.inputs(), webhook_url=f"{live.receiver.url}/hook?job=1")
        got = live.receiver.wait(3)
        shown = counted.client.predictions.status(accepted.id)
    assert got[0] == got[1] == got[2]
    path, told = got[0]
    assert path == "/hook?job=1"
    assert set(told) == {"id", "status", "output", "error"}
    assert (told["id"], told["status"], told["error"]) == (accepted.id, "completed", None)
    assert shown.output
    assert httpx2.get(told["output"][0]).content == httpx2.get(shown.output[0]).content
    assert len(live.receiver.got) == 3


def test_a_source_of_the_ratio_already_is_a_failure_and_no_exception(live: Live) -> None:
    with Counted(live) as counted:
        ended = counted.subscribe(live.inputs(aspect_ratio="2:3"))
    assert (ended.status, ended.output, ended.credits_used) == ("failed", None, 0)
    assert ended.error.name == "InputValidationError"
    assert ended.error.message == "Image already matches target aspect ratio"


@pytest.mark.parametrize("name", ["words.png", "nothing.png"])
def test_a_source_that_is_no_picture_is_a_failure_and_no_exception(live: Live, name: str) -> None:
    with Counted(live) as counted:
        ended = counted.subscribe(live.inputs(image=f"{live.receiver.url}/{name}"))
    assert (ended.status, ended.error.name) == ("failed", "ImageLoadError")


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        ({"inputs": {"num_images": 9}}, fashn.BadRequestError, "BadRequest"),
        ({"inputs": {"aspect_ratio": "7:3"}}, fashn.BadRequestError, "BadRequest"),
        ({"inputs": {"image": "portrait.jpg"}}, fashn.BadRequestError, "BadRequest"),
        ({"model_name": "tryon-v1.6"}, fashn.BadRequestError, "BadRequest"),
        ({"webhook_url": "hook"}, fashn.BadRequestError, "BadRequest"),
        ({"api_key": "wrong"}, fashn.AuthenticationError, "UnauthorizedAccess"),
    ],
)
def test_a_mistake_is_the_clients_own_error_and_is_made_once(
    live: Live, given: dict[str, Any], kind: type[fashn.APIStatusError], name: str
) -> None:
    rest = dict(given)
    key = rest.pop("api_key", live.secret)
    inputs = live.inputs(**rest.pop("inputs", {}))
    with Counted(live, api_key=key) as counted, pytest.raises(kind) as caught:
        counted.run(inputs, **rest)
    assert counted.sent == ["/v1/run"]
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"] == name


def test_an_unknown_prediction_is_asked_for_once(live: Live) -> None:
    with Counted(live) as counted, pytest.raises(fashn.NotFoundError):
        counted.client.predictions.status("123a87r9-4129-4bb3-be18-9c9fb5bd7fc1-u1")
    assert len(counted.sent) == 1


def test_who_has_too_many_jobs_is_told_when_to_come_back(live: Live) -> None:
    _, secret = live.keys.create("small", concurrency=1)
    with Counted(live, api_key=secret, max_retries=0) as counted, live.rest():
        first = counted.run(live.inputs())
        with pytest.raises(fashn.RateLimitError) as caught:
            counted.run(live.inputs())
        live.house.queue.cancel(first.id.removesuffix("-u1"))
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"] == "ConcurrencyLimitExceeded"
    assert caught.value.response.headers["retry-after"] == "5"
    assert "x-should-retry" not in caught.value.response.headers


def test_credits_can_be_asked_for(live: Live) -> None:
    with Counted(live) as counted:
        body: Any = counted.client.get("/v1/credits", cast_to=object)
    parts = body["credits"]
    assert parts["total"] == parts["subscription"] + parts["on_demand"] > 0


def test_the_asynchronous_client_is_answered_too(live: Live) -> None:
    async def asking() -> Any:
        async with fashn.AsyncFashn(base_url=live.url, api_key=live.secret) as client:
            ask: Any = client.predictions.subscribe
            return await ask(model_name="reframe", inputs=live.inputs(), poll_interval=30)

    ended = asyncio.run(asking())
    assert (ended.status, len(ended.output)) == ("completed", 1)


def test_the_address_may_come_from_the_environment(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASHN_BASE_URL", live.url)
    monkeypatch.setenv("FASHN_API_KEY", live.secret)
    with Fashn() as client:
        body: Any = client.get("/v1/credits", cast_to=object)
    assert body["credits"]["total"] > 0
