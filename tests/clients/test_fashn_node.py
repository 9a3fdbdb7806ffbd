"""FASHN's own JavaScript client, as it is published, against this server."""

import io
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from PIL import Image

from tests.clients.fashn.house import CLIENTS, Live, open_house, require_node

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    require_node()
    with open_house(tmp_path_factory.mktemp("house")) as live:
        yield live


def ask(live: Live, act: str, params: Any = None, **rest: Any) -> Any:
    """What became of one call, with the number of its requests."""
    asked = {"baseURL": live.url, "apiKey": live.secret, "act": act, "params": params, **rest}
    ended = subprocess.run(
        ["node", "ask.mjs"],
        cwd=CLIENTS,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(ended.stdout)


def reframe(live: Live, **inputs: Any) -> dict[str, Any]:
    return {"model_name": "reframe", "inputs": live.inputs(**inputs)}


def test_subscribe_ends_with_pictures_that_anybody_can_fetch(live: Live) -> None:
    own_options = {"pollInterval": 30, "timeout": 60_000, "maxRetries": 1}
    seen = ask(live, "subscribe", {**reframe(live), **own_options})
    ended = seen["result"]
    assert (ended["status"], ended["error"], ended["creditsUsed"]) == ("completed", None, 0)
    assert seen["enqueued"] == [ended["id"]]
    assert seen["updates"][-1] == "completed"
    (url,) = ended["output"]
    assert Image.open(io.BytesIO(httpx2.get(url).content)).size == (1360, 760)


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({"mode": "aspect_ratio", "target_aspect_ratio": "5:4"}, (1144, 912)),
        ({"mode": "direction", "target_direction": "down"}, (60, 135)),
    ],
)
def test_inputs_that_this_client_knows_are_understood(
    live: Live, given: dict[str, str], size: tuple[int, int]
) -> None:
    params = {**reframe(live, aspect_ratio=None, **given), "pollInterval": 30}
    ended = ask(live, "subscribe", params)["result"]
    assert ended["status"] == "completed"
    assert Image.open(io.BytesIO(httpx2.get(ended["output"][0]).content)).size == size


def test_base64_comes_back_as_it_is(live: Live) -> None:
    params = {**reframe(live, return_base64=True), "pollInterval": 30}
    (picture,) = ask(live, "subscribe", params)["result"]["output"]
    assert picture.startswith("data:image/png;base64,")


def test_a_webhook_arrives(live: Live) -> None:
    live.receiver.got.clear()
    hook = f"{live.receiver.url}/hook"
    accepted = ask(live, "run", {**reframe(live), "webhook_url": hook})["result"]
    ((path, told),) = live.receiver.wait(1)
    assert path == "/hook"
    assert (told["id"], told["status"]) == (accepted["id"], "completed")
    shown = ask(live, "status", accepted["id"])["result"]
    assert (shown["id"], shown["status"]) == (accepted["id"], "completed")


def test_a_source_of_the_ratio_already_is_a_failure_and_no_exception(live: Live) -> None:
    params = {**reframe(live, aspect_ratio="2:3"), "pollInterval": 30}
    ended = ask(live, "subscribe", params)["result"]
    assert ended["status"] == "failed"
    assert ended["error"] == {
        "name": "InputValidationError",
        "message": "Image already matches target aspect ratio",
    }


@pytest.mark.parametrize(
    ("act", "given", "kind", "status", "name"),
    [
        ("run", {"inputs": {"seed": -1}}, "BadRequestError", 400, "BadRequest"),
        ("run", {"model": "edit"}, "BadRequestError", 400, "BadRequest"),
        ("run", {"key": "wrong"}, "AuthenticationError", 401, "UnauthorizedAccess"),
        ("status", {}, "NotFoundError", 404, "NotFound"),
    ],
)
def test_a_mistake_is_the_clients_own_error_and_is_made_once(
    live: Live, act: str, given: dict[str, Any], kind: str, status: int, name: str
) -> None:
    params: Any = reframe(live, **given.get("inputs", {}))
    params["model_name"] = given.get("model", "reframe")
    if act == "status":
        params = "123a87r9-4129-4bb3-be18-9c9fb5bd7fc1-u1"
    seen = ask(live, act, params, apiKey=given.get("key", live.secret))
    assert seen["requests"] == 1
    assert (seen["error"]["class"], seen["error"]["status"]) == (kind, status)
    assert seen["error"]["body"]["error"] == name


def test_credits_can_be_asked_for(live: Live) -> None:
    assert ask(live, "credits")["result"]["credits"]["total"] > 0
