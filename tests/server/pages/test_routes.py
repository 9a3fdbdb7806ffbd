"""Every route is on a page, and every route of a page is there."""

import re
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts

from server.api.app import create_app
from server.settings import Settings
from tests.house.house import ROOT

PAGES = [ROOT / "docs/http.md", ROOT / "docs/doors.md", *(ROOT / "docs/doors").glob("*.md")]
MOUNTS = ("/fal/run", "/fal/queue")
"""The same paths lie bare and below these."""

INSIDE = {"GET /docs/oauth2-redirect"}
"""What only the page of the documentation asks for."""

Routes = set[str]


def name_route(method: str, path: str) -> str:
    """Without the names of what differs."""
    for mount in MOUNTS:
        path = path.removeprefix(mount) if path.startswith(f"{mount}/fal-ai") else path
    return f"{method} {re.sub('{.*?}', '*', path)}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Routes:
    app = create_app(Settings(data=tmp_path_factory.mktemp("data"), min_free=0))
    return {
        name_route(method, route.path)
        for route in iter_route_contexts(app.routes)
        if isinstance(route.path, str)
        for method in (route.methods or set()) - {"HEAD"}
    }


def read_routes(page: Path) -> Routes:
    spans = re.findall(r"`(GET|POST|PUT|DELETE) (/[^` ]*)`", page.read_text())
    return {name_route(method, path.partition("?")[0]) for method, path in spans}


def test_every_route_is_on_a_page(served: Routes) -> None:
    shown: Routes = set().union(*(read_routes(page) for page in PAGES))
    assert served - INSIDE - shown == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_route_of_a_page_is_there(served: Routes, page: Path) -> None:
    patterns = [re.escape(route).replace(r"\*", "[^/]+") for route in served]
    known = re.compile("|".join(patterns))
    assert [route for route in read_routes(page) if not known.fullmatch(route)] == []
