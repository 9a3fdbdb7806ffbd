"""What results are compared with where the page was not given the picture itself."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.drawings import draw_meadow
from tests.server.page.visit import PATIENCE, Visit, visit

RUNS = "/v1/models/local/smart-resize/runs"
NATURAL = """(image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"""

pytestmark = pytest.mark.slow


def make_run(server: tuple[str, str], photo: Path, **wishes: Any) -> str:
    """A run of before; its id."""
    base, secret = server
    answer = httpx2.post(
        base + RUNS,
        files={"image": (photo.name, photo.read_bytes())},
        data={"input": json.dumps({"target_sizes": ["640x200"], **wishes})},
        headers={"Authorization": f"Bearer {secret}", "Prefer": "wait=60"},
        timeout=90,
    ).json()
    assert answer["status_code"] == "succeeded", answer
    return str(answer["id"])


def open_address(opened: Visit, run: str) -> Page:
    opened.page.goto(f"{opened.base}/#run/{run}")
    opened.results(1)
    return opened.page


def test_a_run_of_the_history_is_compared_with_its_source(opened: Visit, photo: Path) -> None:
    page = opened.page
    opened.wish("640x200")
    opened.choose(photo)
    opened.run(1)
    page.goto(f"{opened.base}/")
    page.click("#open-history")
    page.locator(".runs button", has_text="640×200").first.click()
    opened.results(1)
    before = page.locator("#result-wall .before img")
    expect(before).to_have_count(1)
    assert before.evaluate(NATURAL) == [320, 200]
    handle = page.get_by_role("slider", name="Before and after")
    handle.press("End")
    expect(handle).to_have_attribute("aria-valuetext", "100 % of the source's side is shown")
    expect(page.locator("#result-notes")).not_to_contain_text("compare")


def test_a_run_has_an_address_that_shows_it_again(
    browser: Browser, server: tuple[str, str], photo: Path
) -> None:
    run = make_run(server, photo)
    for width in (360, 1280):
        with visit(browser, *server, viewport={"width": width, "height": 800}) as opened:
            page = open_address(opened, run)
            expect(page.locator(".handle")).to_have_count(1)
            assert opened.sizes() == [(640, 200)]
            assert page.evaluate("document.documentElement.scrollWidth") == width
            page.reload()
            expect(page.locator(".handle")).to_have_count(1)


def test_the_address_follows_what_is_seen(
    opened: Visit, server: tuple[str, str], photo: Path
) -> None:
    page = open_address(opened, make_run(server, photo))
    other = make_run(server, photo, target_sizes=["200x100"])
    page.evaluate("(run) => { location.hash = `run/${run}`; }", other)
    expect(page.locator("#result-wall .pixels")).to_contain_text("200 × 100")
    expect(page.locator(".handle")).to_have_count(1)
    opened.choose(photo)
    opened.run(6)
    assert "#run/" in page.url
    assert other not in page.url


def test_a_run_that_is_not_there_is_said_to_be_none(opened: Visit) -> None:
    opened.page.goto(f"{opened.base}/#run/01a1ff32-7289-7476-bc81-5ad1d3fe1812")
    expect(opened.page.locator("#intake-problem")).to_contain_text("There is no such run")
    forgive(opened, "status of 404")


def test_a_source_that_was_not_stored_is_said_to_be_gone(
    opened: Visit, server: tuple[str, str], photo: Path
) -> None:
    page = open_address(opened, make_run(server, photo, store=False))
    expect(page.locator("#result-notes")).to_contain_text(
        "Nothing to compare with: the server has the source no longer."
    )
    expect(page.locator(".handle")).to_have_count(0)


def test_a_source_that_no_browser_shows_is_said_to_be_one(
    opened: Visit, server: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "scan.tif"
    draw_meadow(320, 200).save(path)
    page = open_address(opened, make_run(server, path))
    expect(page.locator("#result-notes")).to_contain_text(
        "Nothing to compare with: this browser cannot show the source."
    )
    expect(page.locator(".handle")).to_have_count(0)


def add_address(opened: Visit) -> None:
    opened.page.fill("#address", f"{opened.base}/page/coffee.webp")
    opened.page.click("#address-form button")


def test_a_picture_at_an_address_is_shown_once_the_server_has_it(opened: Visit) -> None:
    page = opened.page
    held: dict[str, Route] = {}
    for name in ("plans", "sources"):
        page.route(f"**/{name}", partial(hold, held, name), times=1)
    add_address(opened)
    words = page.locator("#plan-problem")
    expect(words).to_have_text(
        "The server is fetching the picture; until it is there, a grey stand-in is drawn."
    )
    release(page, held, "plans")
    opened.wait_for_plans()
    expect(page.locator("#plan-wall .unseen")).to_have_count(6)
    expect(words).to_contain_text("stand-in")
    release(page, held, "sources")
    drawn = page.locator("#plan-wall .kept img")
    expect(drawn).to_have_count(6)
    assert drawn.first.evaluate(NATURAL) == [600, 400]
    expect(page.locator("#plan-wall .unseen")).to_have_count(0)
    expect(words).to_be_empty()
    expect(page.locator(".thumb img")).to_have_count(1)
    page.locator("#plan-wall button.frame").first.click()
    expect(page.locator(".bench .ghost")).to_be_visible()
    page.keyboard.press("Escape")
    opened.run(6)
    expect(page.locator(".handle")).to_have_count(6)


def hold(held: dict[str, Route], name: str, route: Route) -> None:
    held[name] = route


def release(page: Page, held: dict[str, Route], name: str) -> None:
    """Let a request through, once it was made."""
    for _ in range(500):
        if name in held:
            break
        page.wait_for_timeout(20)
    held[name].continue_()


def test_results_of_an_address_have_a_before_even_where_nothing_was_planned(opened: Visit) -> None:
    page = opened.page
    page.route("**/plans", lambda route: None)
    add_address(opened)
    page.click("#run")
    opened.results(6)
    expect(page.locator(".handle")).to_have_count(6)
    page.unroute_all(behavior="ignoreErrors")


def test_what_must_not_be_stored_is_not_stored_for_a_plan_either(opened: Visit) -> None:
    page = opened.page
    page.click("#more summary")
    page.uncheck("#option-store")
    add_address(opened)
    expect(page.locator("#plan-problem")).to_have_text(
        "The server keeps no copy of the picture to show: a grey stand-in is drawn.",
        timeout=PATIENCE,
    )
    expect(page.locator("#plan-wall .unseen")).to_have_count(6)


def forgive(opened: Visit, said: str) -> None:
    """What the browser says of an answer that was meant to fail."""
    opened.problems[:] = [each for each in opened.problems if said not in each]
