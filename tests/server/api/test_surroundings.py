"""Everything around the runs: uploads, downloads, health, usage, documentation, closed doors."""

import importlib.metadata
import re
from datetime import UTC, datetime

import pytest
import structlog

from server.api.about import About
from server.api.files import HEADERS
from server.api.gate import is_open
from server.errors import DatabaseUnavailable
from server.images.links import Links, load_secret
from server.images.local_store import LocalStore
from server.jobs.durable_queue import DurableQueue
from server.jobs.workers import Beat, beat
from tests.drawings import draw_meadow, to_png
from tests.server.api.conftest import RUNS, Api

SIGNED = ("/fal/cdn/", "/fal/rest/.well-known/")
"""Where a door asks for a token or a signature instead of a key, or publishes its own."""

PICTURE = to_png(draw_meadow(30, 20))
OUTPUT = "outputs/0199c0de-0000-7000-8000-000000000001/0.png"


def upload(api: Api, content: bytes = PICTURE) -> str:
    announced = {"filename": "a.png", "mime_type": "image/png", "size_bytes": len(content)}
    place = api("POST", "/v1/asset-uploads", json=announced)
    assert place.status_code == 201
    sent = api("PUT", place.json()["upload_url"], content=content)
    assert sent.status_code == 200, sent.text
    return str(place.json()["asset_id"])


@pytest.mark.parametrize(("path", "level"), [("/readyz", "debug"), ("/v1/models", "info")])
def test_questions_that_programs_ask_all_day_are_not_told_by_default(
    path: str, level: str, api: Api
) -> None:
    with structlog.testing.capture_logs() as lines:
        api("GET", path)
    (line,) = [line for line in lines if line["event"] == "answered"]
    assert (line["path"], line["log_level"]) == (path, level)


def test_an_upload_takes_three_steps_and_then_names_a_source(api: Api) -> None:
    asset = upload(api)
    confirmed = api("POST", f"/v1/asset-uploads/{asset}/confirmations", json={})
    assert confirmed.status_code == 201
    run = api.submit(image_url=confirmed.json()["url"])
    (source,) = run["input"]["sources"]
    store = LocalStore(api.data / "pictures")
    blob, _, label = source.removeprefix("blob:").partition("?")
    assert store.read(blob) == PICTURE
    assert label == "a.png"
    assert api("GET", f"/v1/assets/{asset}").json()["size_bytes"] == len(PICTURE)


def test_an_upload_is_what_was_announced_and_never_changes(api: Api) -> None:
    announced = {"filename": "a.png", "mime_type": "image/png", "size_bytes": 5}
    place = api("POST", "/v1/asset-uploads", json=announced).json()
    assert api("PUT", place["upload_url"], content=b"123456").status_code == 422
    early = api("POST", f"/v1/asset-uploads/{place['asset_id']}/confirmations", json={})
    assert early.status_code == 422
    assert api("PUT", place["upload_url"], content=b"12345").status_code == 200
    assert (
        api("POST", f"/v1/asset-uploads/{place['asset_id']}/confirmations", json={}).status_code
        == 201
    )
    assert api("PUT", place["upload_url"], content=b"54321").status_code == 404
    assert api("PUT", place["upload_url"][:-3], content=b"54321").status_code == 404


def test_an_upload_that_nobody_confirmed_is_no_source(api: Api) -> None:
    given = {"image_url": f"runflow://assets/{upload(api)}", "aspect_ratio": "1:1"}
    assert api("POST", RUNS, json={"input": given}).json()["code"] == "ASSET_NOT_FOUND"


def test_another_ones_upload_is_not_there(api: Api) -> None:
    asset = upload(api)
    _, other = api.keys.create("another")
    assert api("GET", f"/v1/assets/{asset}", secret=other).status_code == 404
    given = {"image_url": f"runflow://assets/{asset}", "aspect_ratio": "1:1"}
    assert api("POST", RUNS, json={"input": given}, secret=other).status_code == 404


def make_link(api: Api, lifetime: float = 60.0) -> str:
    LocalStore(api.data / "pictures").put(OUTPUT, PICTURE)
    links = Links(load_secret(api.data / "links.secret"), lifetime)
    return links.path(OUTPUT, 'a "b"\r\nSet-Cookie: x.png')


def test_a_link_opens_its_picture_without_a_key(api: Api) -> None:
    answer = api("GET", make_link(api), secret="wrong")
    assert answer.status_code == 200
    assert answer.content == PICTURE
    assert answer.headers["content-type"] == "image/png"
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "set-cookie" not in answer.headers
    assert '"' not in re.findall(r'filename="(.*?)";', answer.headers["content-disposition"])[0]


@pytest.mark.parametrize(
    "path",
    [
        "/files/x/a.png",
        "/files/../links.secret/a",
        "/files/%2e%2e%2flinks.secret/a",
        "/files/%00/a.png",
        "/files/a.png",
    ],
)
def test_no_path_leads_anywhere_else(api: Api, path: str) -> None:
    assert api("GET", path).status_code == 404


def test_a_changed_or_old_link_opens_nothing(api: Api) -> None:
    path = make_link(api)
    token = path.split("/")[2]
    assert api("GET", path.replace(token, token[:-2] + "xx")).status_code == 404
    assert api("GET", make_link(api, lifetime=-1)).status_code == 404


def test_an_expired_picture_is_not_there_any_more(api: Api) -> None:
    path = make_link(api)
    LocalStore(api.data / "pictures").delete(OUTPUT.rpartition("/")[0] + "/")
    answer = api("GET", path)
    assert (answer.status_code, answer.json()["code"]) == (404, "BLOB_MISSING")


def test_it_is_ready_when_a_worker_is_alive(api: Api) -> None:
    answer = api("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["workers"] == "no worker is alive"
    beat(api.engine, Beat("w1", "cpu", "preview", 1, trouble="out of memory"))
    assert api("GET", "/readyz").json()["checks"]["workers"] == "no worker's device answers"
    beat(api.engine, Beat("w1", "cpu", "preview", 1, checked_at=datetime.now(UTC)))
    assert api("GET", "/readyz").status_code == 200
    assert api("GET", "/healthz").json() == {"status": "ok"}
    assert api("GET", "/v1/health").json().items() >= {"status": "ok", "ok": True}.items()


def test_it_says_its_version_and_which_engines_work(api: Api) -> None:
    told = {"version": importlib.metadata.version("smart-resize"), "engines": ["preview"]}
    for path in ("/v1/health", "/v1/models"):
        assert api("GET", path).json().items() >= told.items(), "without a worker, what is set"
    for worker, engine in (("w1", "sdxl"), ("w2", "sdxl"), ("w3", "other")):
        beat(api.engine, Beat(worker, "cpu", engine, 1))
    for path in ("/v1/health", "/v1/models"):
        assert api("GET", path).json()["engines"] == ["other", "sdxl"]
    assert api("GET", "/openapi.json").json()["info"]["version"] == told["version"]


def test_it_says_its_version_while_the_database_is_away() -> None:
    def find_engines() -> tuple[str, ...]:
        raise DatabaseUnavailable

    assert About("1.2", find_engines).to_json_always() == {"version": "1.2", "engines": None}


def test_usage_counts_what_the_key_has_used(api: Api) -> None:
    queue = DurableQueue(api.engine)
    for seconds in (1.0, 2.5):
        run = api.submit()
        queue.begin(run["id"], "w")
        queue.finish(run["id"], [], gpu_seconds=seconds, seconds={})
    usage = api("GET", "/v1/usage").json()
    assert usage["total"] == {"jobs": 2, "outputs": 0, "gpu_seconds": 3.5}
    _, other = api.keys.create("another")
    assert api("GET", "/v1/usage", secret=other).json()["total"]["jobs"] == 0


def test_the_documentation_comes_from_here_alone(api: Api) -> None:
    answer = api("GET", "/docs", secret="none")
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    page = answer.text
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    for asset in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        assert api("GET", asset, secret="none").status_code == 200
    assert api("GET", "/openapi.json", secret="none").json()["info"]["title"] == "Smart Resize"


def test_every_route_is_closed_but_those_that_are_named(api: Api) -> None:
    """Also routes of tomorrow: the gate stands before all of them."""
    seen = 0
    for template, methods in api.app.openapi()["paths"].items():
        path = re.sub(r"\{[^}]+\}", "x", template)
        for method in methods:
            answer = api(method.upper(), path, secret="sr_wrong")
            if is_open(path, method):
                assert answer.status_code != 401
            elif path.startswith(SIGNED):
                assert answer.status_code in {200, 401, 404, 422}
            else:
                seen += 1
                assert answer.status_code == 401, f"{method} {path}"
    assert seen >= 20


def test_every_answer_has_an_id_for_the_log(api: Api) -> None:
    given = api("GET", "/v1/runs", headers={"X-Request-Id": "mine-1"})
    assert given.headers["x-request-id"] == "mine-1"
    assert given.headers["runflow-request-id"] == "mine-1"
    made = api("GET", "/v1/nothing", headers={"X-Request-Id": "a" * 500})
    assert len(made.headers["x-request-id"]) == 36
    assert made.json() == {
        "code": "NOT_FOUND",
        "message": "There is nothing at this address.",
        "errors": None,
    }


def test_browsers_may_ask_from_anywhere(api: Api) -> None:
    asked = {
        "Origin": "https://studio.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = api("OPTIONS", RUNS, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
