"""One server for all visits, and one browser for those of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.drawings import draw_meadow
from tests.house.tools import need
from tests.server.live import serve
from tests.server.page.visit import Visit, open_browser, visit


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    need("chromium")
    with serve(tmp_path_factory.mktemp("data")) as (base, secret):
        yield base, secret


@pytest.fixture(scope="module")
def browser(server: tuple[str, str]) -> Iterator[Browser]:
    """Its driver keeps an event loop running, in which other files could start none of theirs."""
    with open_browser() as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, server: tuple[str, str]) -> Iterator[Visit]:
    with visit(browser, *server) as opened:
        expect(opened.page.locator("#chosen li")).to_have_count(6)
        yield opened


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "it's a meadow; é.png"
    draw_meadow(320, 200).save(path)
    return path
