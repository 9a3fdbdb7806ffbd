"""Every door in the same trouble: each answers in its own service's words, and in no other's."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.settings import Settings
from tests.server.api.conftest import Api, open_api

IMAGE = "https://example.com/a.png"
SIZES = {"image_url": IMAGE, "target_sizes": ["1024x1024"]}
TOO_LARGE = str(Settings().max_body + 1)


@dataclass(frozen=True, slots=True)
class Hosted:
    """A hosted API: one request that it takes, and how its errors look.

    ``wrong`` are fields of that request with values of another kind; ``statuses`` what it says of
    what differs from one to the next.
    """

    name: str
    host: str
    path: str
    body: Mapping[str, Any]
    header: str
    scheme: str
    shape: frozenset[str]
    statuses: Mapping[str, int]
    wrong: tuple[tuple[str, Any], ...]
    inside: str = ""
    id_field: str = "request_id"

    def change(self, **fields: Any) -> dict[str, Any]:
        """The request with other fields of its input."""
        inner = self.body[self.inside] if self.inside else self.body
        changed = {**inner, **fields}
        return {**self.body, self.inside: changed} if self.inside else changed

    def ask(self, api: Api, secret: str | None = None, **rest: Any) -> httpx2.Response:
        """The request, with the key in the header that it has there."""
        text = api.secret if secret is None else secret
        given = {self.header: self.scheme + text} if text else {}
        headers = {"Authorization": "", **given, **rest.pop("headers", {})}
        if "content" not in rest:
            rest.setdefault("json", dict(self.body))
        return api("POST", self.path, headers=headers, **rest)


RUNFLOW = Hosted(
    name="runflow",
    host="api.runflow.io",
    path="/v1/models/runflow/smart-resize/runs",
    body={"input": {"image_url": IMAGE, "aspect_ratio": "4:3", "resolution": "1K"}},
    header="Authorization",
    scheme="Bearer ",
    shape=frozenset({"code", "message", "errors"}),
    statuses={"wrong": 422, "large": 413, "full": 507, "taken": 201},
    wrong=(("image_url", 5), ("aspect_ratio", 4.3), ("resolution", 1), ("file_input", [])),
    inside="input",
    id_field="id",
)
FAL = Hosted(
    name="fal",
    host="queue.fal.run",
    path="/fal/queue/fal-ai/smart-resize",
    body=SIZES,
    header="Authorization",
    scheme="Key ",
    shape=frozenset({"detail"}),
    statuses={"wrong": 422, "large": 413, "full": 503, "taken": 200},
    wrong=(("image_url", 5), ("target_sizes", "1024x1024"), ("num_images_per_size", "many")),
)
FASHN = Hosted(
    name="fashn",
    host="api.fashn.ai",
    path="/v1/run",
    body={"model_name": "reframe", "inputs": {"image": IMAGE, "aspect_ratio": "16:9"}},
    header="Authorization",
    scheme="Bearer ",
    shape=frozenset({"error", "message"}),
    statuses={"wrong": 400, "large": 400, "full": 500, "taken": 200},
    wrong=(("image", 5), ("aspect_ratio", 1.6), ("num_images", "many"), ("return_base64", "x")),
    inside="inputs",
    id_field="id",
)
PIXAZO = Hosted(
    name="pixazo",
    host="gateway.pixazo.ai",
    path="/smart-resize/v1/smart-resize-request",
    body=SIZES,
    header="Ocp-Apim-Subscription-Key",
    scheme="",
    shape=frozenset({"error", "details"}),
    statuses={"wrong": 400, "large": 400, "full": 500, "taken": 200},
    wrong=(("image_url", 5), ("target_sizes", 1024), ("sync_mode", "perhaps"), ("seed", 1.5)),
)
ALL = (RUNFLOW, FAL, FASHN, PIXAZO)
UNPUBLISHED = {"statusCode", "message"}
"""What Pixazo's gateway adds where no body is published."""


@pytest.fixture(params=ALL, ids=lambda hosted: hosted.name)
def hosted(request: pytest.FixtureRequest) -> Hosted:
    found: Hosted = request.param
    return found


def check_words(hosted: Hosted, answer: httpx2.Response, status: int, *, again: bool) -> str:
    """The text of an error, after a look at whether all of it is in the service's own words."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    extra = UNPUBLISHED if hosted is PIXAZO and status in {401, 405, 429, 500} else set()
    typed = {"error_type"} if hosted is FAL and "error_type" in body else set()
    assert set(body) == hosted.shape | extra | typed
    if hosted is FAL:
        assert answer.headers["x-fal-request-id"]
        assert answer.headers["x-fal-needs-retry"] == str(int(again))
    else:
        assert not [name for name in answer.headers if name.startswith("x-fal")]
    pointless = "false" if hosted is FASHN and not again else None
    assert answer.headers.get("x-should-retry") == pointless
    assert ("retry-after" in answer.headers) is again
    return answer.text


@pytest.mark.parametrize("key", ["missing", "wrong", "revoked"])
def test_only_a_valid_key_opens(shared: Api, hosted: Hosted, key: str) -> None:
    made, secret = shared.keys.create("revoked")
    shared.keys.revoke(made.id)
    given = {"missing": "", "wrong": "sr_wrong", "revoked": secret}[key]
    check_words(hosted, hosted.ask(shared, given), 401, again=False)


def test_what_it_does_not_know_is_ignored(shared: Api, hosted: Hosted) -> None:
    body = {**hosted.change(something_new={"a": [1]}, seed=None), "pollInterval": 500, "tool": None}
    assert hosted.ask(shared, json=body).status_code == hosted.statuses["taken"]


@pytest.mark.parametrize(
    ("hosted", "name", "value"),
    [(hosted, *pair) for hosted in ALL for pair in hosted.wrong],
    indirect=["hosted"],
)
def test_a_wrong_type_is_told_by_its_field(
    shared: Api, hosted: Hosted, name: str, value: Any
) -> None:
    answer = hosted.ask(shared, json=hosted.change(**{name: value}))
    if hosted is FAL:  # its queue takes everything, and tells later
        answer = shared("GET", answer.json()["response_url"])
    assert name in check_words(hosted, answer, hosted.statuses["wrong"], again=False)


@pytest.mark.parametrize("content", [b"", b"{", b'"text"', b"[" * 100_000])
def test_what_is_no_object_is_told(shared: Api, hosted: Hosted, content: bytes) -> None:
    answer = hosted.ask(shared, content=content)
    if answer.is_success:
        assert hosted is FAL
        answer = shared("GET", answer.json()["response_url"])
        check_words(hosted, answer, 422, again=False)
    else:
        check_words(hosted, answer, 400, again=False)


def test_a_huge_body_is_refused_once_and_for_all(shared: Api, hosted: Hosted) -> None:
    answer = hosted.ask(shared, content=b"{}", headers={"Content-Length": TOO_LARGE})
    check_words(hosted, answer, hosted.statuses["large"], again=False)


def test_who_asks_too_often_is_told_when_to_come_back(shared: Api, hosted: Hosted) -> None:
    _, secret = shared.keys.create("slow", rate=1)
    assert hosted.ask(shared, secret).is_success
    answer = hosted.ask(shared, secret)
    check_words(hosted, answer, 429, again=True)
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_who_has_too_much_on_hand_is_told_when_to_come_back(shared: Api, hosted: Hosted) -> None:
    _, secret = shared.keys.create("crowded", concurrency=1)
    assert hosted.ask(shared, secret).is_success
    check_words(hosted, hosted.ask(shared, secret), 429, again=True)


def test_a_full_queue_is_not_the_callers_fault(tmp_path: Path, hosted: Hosted) -> None:
    api = open_api(tmp_path, max_queue=1)
    assert hosted.ask(api).is_success
    check_words(hosted, hosted.ask(api), 429, again=True)


def test_a_full_disk_is_not_the_callers_fault(tmp_path: Path, hosted: Hosted) -> None:
    api = open_api(tmp_path, min_free=2**62)
    check_words(hosted, hosted.ask(api), hosted.statuses["full"], again=True)


def test_the_same_request_again_is_another_job(shared: Api, hosted: Hosted) -> None:
    ids = {hosted.ask(shared).json()[hosted.id_field] for _ in range(2)}
    assert len(ids) == 2


@pytest.mark.parametrize("by_host", [False, True])
def test_a_method_that_is_not_there_is_refused_in_its_words(
    shared: Api, hosted: Hosted, *, by_host: bool
) -> None:
    path = hosted.path.removeprefix("/fal/queue") if by_host else hosted.path
    headers = {"Host": hosted.host} if by_host else {}
    answer = shared("DELETE", path, headers=headers)
    check_words(hosted, answer, 405, again=False)
    assert answer.headers["allow"] == "POST"


def test_where_nothing_is_its_words_say_so(shared: Api, hosted: Hosted) -> None:
    check_words(hosted, shared("GET", hosted.path + "/nothing"), 404, again=False)


def test_who_came_by_its_name_hears_its_words_everywhere(shared: Api, hosted: Hosted) -> None:
    for path in ("/nothing", "/v1/nothing", "/v2/nothing"):
        for method in ("GET", "POST"):
            answer = shared(method, path, headers={"Host": f"{hosted.host}:8443"})
            check_words(hosted, answer, 404, again=False)
    answer = shared("GET", "/v1/nothing", headers={"Host": hosted.host}, secret="sr_wrong")
    check_words(hosted, answer, 401, again=False)


def test_a_job_that_was_cancelled_stays_a_job(shared: Api, hosted: Hosted) -> None:
    made = hosted.ask(shared).json()[hosted.id_field]
    job_id = made.removeprefix("smart-resize_").removesuffix("-u1")
    assert shared("POST", f"/v1/runs/{job_id}/cancel").json()["status_code"] == "canceled"
    assert shared("GET", f"/v1/runs/{job_id}").json()["id"] == job_id
