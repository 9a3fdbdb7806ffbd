"""The page where something is missing or fails: it says so, where people look."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.server.page.visit import Visit, visit

DROP_TWO = """() => {
  const carried = new DataTransfer();
  carried.items.add(new File(['words'], 'notes.txt', { type: 'text/plain' }));
  carried.items.add(new File(['words'], 'a.png', { type: 'image/png' }));
  document.body.dispatchEvent(
    new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


@pytest.mark.slow
def test_without_javascript_it_says_what_is_missing(
    browser: Browser, server: tuple[str, str]
) -> None:
    with visit(browser, server[0], None, java_script_enabled=False) as opened:
        words = opened.page.locator(".noscript")
        expect(words).to_be_in_viewport()
        expect(words).to_contain_text("needs JavaScript")


@pytest.mark.slow
def test_a_picture_that_cannot_be_read_is_marked_and_keeps_the_focus(
    opened: Visit, photo: Path, tmp_path: Path
) -> None:
    page = opened.page
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"no picture")
    opened.choose(photo, broken)
    thumb = page.locator(".thumb > button:first-child").nth(1)
    thumb.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".thumb.unread")).to_have_count(1)
    expect(thumb).to_be_focused()
    expect(thumb).to_have_text("TIF")
    expect(thumb).to_have_attribute("title", re.compile("^broken.tif: the file is not a "))
    forgive(opened, "status of 422")


@pytest.mark.slow
def test_of_what_is_dropped_only_pictures_are_taken_and_the_rest_is_told(opened: Visit) -> None:
    page = opened.page
    page.evaluate(DROP_TWO)
    expect(page.locator(".thumb")).to_have_count(1)
    expect(page.locator("#intake-problem")).to_contain_text("1 of them left out")
    expect(page.locator(".thumb.unread")).to_have_count(1)
    forgive(opened, "status of 422")


@pytest.mark.slow
def test_of_several_runs_each_failure_names_its_picture(
    opened: Visit, photo: Path, tmp_path: Path
) -> None:
    page = opened.page
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    opened.choose(photo)
    page.locator("#plan-wall .frame").first.click()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Done").click()
    page.set_input_files("#file", broken)
    page.click("#run")
    expect(page.locator(".part.failed strong")).to_have_text("broken.png: 6 sizes ")
    opened.results(6)
    forgive(opened, "status of 422")


@pytest.mark.slow
def test_a_download_that_fails_says_so(opened: Visit, photo: Path) -> None:
    opened.choose(photo)
    opened.run(6)
    opened.page.route("**/files/**", lambda route: route.abort())
    opened.page.click("#download-all")
    expect(opened.page.locator(".stage-actions .problem")).to_contain_text("Nothing was downloaded")
    forgive(opened, "net::ERR_FAILED")


@pytest.mark.slow
def test_an_address_with_odd_percent_signs_is_one(opened: Visit) -> None:
    page = opened.page
    page.fill("#address", "https://127.0.0.1/%E0%A4%A")
    page.keyboard.press("Enter")
    expect(page.locator(".thumb > button").first).to_have_attribute("title", "%E0%A4%A")
    expect(page.locator("#plan-problem")).not_to_be_empty()
    forgive(opened, "status of 422")


def forgive(opened: Visit, said: str) -> None:
    """What the browser says of an answer that was meant to fail."""
    opened.problems[:] = [each for each in opened.problems if said not in each]


@pytest.mark.slow
def test_the_documentation_is_drawn_within_its_policy(opened: Visit) -> None:
    opened.page.goto(f"{opened.base}/docs")
    expect(opened.page.locator(".opblock").first).to_be_visible()
