"""The page as files: who may have them, what they may do, how large they are."""

import re
from pathlib import Path

import pytest

from tests.house.house import ROOT
from tests.server.api.conftest import Api, open_api

PAGE = ROOT / "server/page"
LARGEST = 100_000
"""Bytes of the first view, as they travel."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Api:
    return open_api(tmp_path_factory.mktemp("data"))


def test_the_page_needs_no_key_but_everything_behind_it_does(api: Api) -> None:
    nobody = {"Authorization": ""}
    assert api("GET", "/", headers=nobody).status_code == 200
    assert api("GET", "/page/main.js", headers=nobody).status_code == 200
    assert api("HEAD", "/", headers=nobody).status_code == 200
    for path in ("/v1/runs", "/v1/presets", "/pages", "/anything"):
        assert api("GET", path, headers=nobody).status_code == 401, path


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/page/page.css", "/page/icon.svg"])
def test_nothing_of_the_page_may_reach_another_host_or_be_framed(api: Api, path: str) -> None:
    headers = api("GET", path).headers
    rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["img-src"] == "'self' blob: data:"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_file_that_has_not_changed_is_not_sent_again(api: Api) -> None:
    first = api("GET", "/page/main.js")
    again = api("GET", "/page/main.js", headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = api("GET", "/page/main.js", headers={"If-None-Match": 'W/"another"'})
    assert other.status_code == 200
    assert other.content == (PAGE / "main.js").read_bytes()


def test_what_compresses_travels_compressed_where_that_is_understood(api: Api) -> None:
    packed = api("GET", "/page/main.js", headers={"Accept-Encoding": "gzip"})
    plain = api("GET", "/page/main.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2


@pytest.mark.parametrize(
    "name", ["..%2fsettings.py", "%2e%2e%2fsettings.py", "main.js%00", "nothing.js", ""]
)
def test_nothing_else_is_served(api: Api, name: str) -> None:
    assert api("GET", f"/page/{name}").status_code == 404


def test_the_first_view_is_small(api: Api) -> None:
    page = (PAGE / "index.html").read_text()
    named = set(re.findall(r'(?:src|href)="(page/[^"]+)"', page))
    parts = {f"page/{path.name}" for path in PAGE.glob("*.js")} | named
    gzip = {"Accept-Encoding": "gzip"}
    sent = [api("GET", f"/{path}", headers=gzip).headers["content-length"] for path in parts]
    assert sum(map(int, sent)) < LARGEST


def test_the_page_has_no_script_style_or_address_of_its_own() -> None:
    page = (PAGE / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page)
    for path in PAGE.iterdir():
        if path.suffix in {".html", ".js", ".css"}:
            found = re.findall(r"https?://[\w.-]+", path.read_text())
            assert set(found) <= {"http://www.w3.org"}, path.name


def test_no_text_is_ever_read_as_markup() -> None:
    words = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function"
    )
    for path in PAGE.glob("*.js"):
        assert not re.search(words, path.read_text()), path.name


def test_every_module_is_used() -> None:
    used = {"main.js"}
    for path in PAGE.glob("*.js"):
        used |= set(re.findall(r'from "\./([\w-]+\.js)"', path.read_text()))
    assert used == {path.name for path in PAGE.glob("*.js")}


def test_an_operator_may_leave_the_page_out(tmp_path: Path) -> None:
    api = open_api(tmp_path, page=False)
    assert api("GET", "/").status_code == 404
    assert api("GET", "/page/main.js").status_code == 404
    assert api("GET", "/v1/presets").status_code == 200
