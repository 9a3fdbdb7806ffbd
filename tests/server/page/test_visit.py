"""The page as people use it: a real browser, a real server, real pictures."""

import io
import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.drawings import draw_meadow, to_png
from tests.server.page.visit import PATIENCE, Visit, ask, visit

SIX = [(1080, 1080), (1080, 1350), (1080, 1920), (1200, 628), (300, 250), (728, 90)]

DROP = """([name, bytes]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    document.body.dispatchEvent(
      new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
  }
}"""

PASTE = """(bytes) => {
  const carried = new DataTransfer();
  carried.items.add(new File([new Uint8Array(bytes)], 'image.png', { type: 'image/png' }));
  document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: carried, bubbles: true }));
}"""


def test_a_dropped_picture_and_one_click_give_six_exact_sizes(opened: Visit) -> None:
    data = to_png(draw_meadow(320, 200))
    opened.page.evaluate(DROP, ["meadow.png", list(data)])
    opened.wait_for_plans()
    opened.run(6)
    assert opened.sizes() == SIX
    expect(opened.page.locator(".badge.good")).to_have_text(
        ["Source kept exactly: 0 px changed"] * 6
    )
    expect(opened.page.locator("#result-notes")).to_contain_text(
        "Preview: weight-free, continues what is there, invents nothing."
    )


@pytest.mark.slow
def test_a_picture_can_be_pasted_fetched_or_an_example(opened: Visit) -> None:
    page = opened.page
    page.click("[data-example='denali.webp']")
    opened.wait_for_plans()
    page.evaluate(PASTE, list(to_png(draw_meadow(90, 60))))
    expect(page.locator(".thumb")).to_have_count(2)
    page.locator(".thumb .remove").first.click()
    page.locator(".thumb .remove").first.click()
    page.fill("#address", "cup.jpg")
    page.click("#address-form button")
    expect(page.locator("#intake-problem")).to_contain_text("https://")
    page.fill("#address", f"{opened.base}/page/coffee.webp")
    page.click("#address-form button")
    opened.wait_for_plans()
    expect(page.locator("#plan-wall .kept img")).to_have_count(6)  # as the server fetched it


@pytest.mark.slow
def test_a_run_can_be_cancelled(opened: Visit, tmp_path: Path) -> None:
    page = opened.page
    large = tmp_path / "large.png"
    draw_meadow(2400, 1600).save(large)
    opened.choose(large)
    page.fill("#custom", "4000x5000")
    page.keyboard.press("Enter")
    page.click("#more summary")
    page.fill("#option-variants", "8")
    page.locator("#option-variants").blur()
    expect(page.locator("#run")).to_have_text("Make 56 pictures")
    page.click("#run")
    page.click(".stop")
    expect(page.locator("#progress")).to_contain_text("Cancelled", timeout=PATIENCE)
    expect(page.locator(".stop")).to_have_count(0)
    expect(page.locator("#live")).to_have_text("Cancelled")


@pytest.mark.slow
def test_a_wrong_key_is_said_to_be_wrong_and_another_one_helps(
    browser: Browser, server: tuple[str, str]
) -> None:
    base, secret = server
    with visit(browser, base, None) as opened:
        page = opened.page
        expect(page.locator("#key-problem")).to_have_text("This server wants a key.")
        page.fill("#key", "sr_wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#key-problem")).to_contain_text("does not know this key")
        page.fill("#key", secret)
        page.keyboard.press("Enter")
        expect(page.locator("#chosen li")).to_have_count(6)
        assert not [url for url in opened.asked if secret in url]
        page.reload()
        expect(page.locator("#chosen li")).to_have_count(6)
        page.click("#open-key")
        page.click("#forget-key")
        expect(page.locator("#key-problem")).to_have_text("This server wants a key.")
        assert page.evaluate("localStorage.length") == 0
        refused = "the server responded with a status of 401"
        opened.problems[:] = [each for each in opened.problems if refused not in each]


@pytest.mark.slow
def test_what_fails_says_why_with_its_code(opened: Visit, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(to_png(draw_meadow(90, 60))[:300])
    opened.page.set_input_files("#file", broken)
    expect(opened.page.locator("#plan-problem")).to_contain_text("IMAGE_UNDECODABLE")
    opened.page.click("#run")
    expect(opened.page.locator(".part.failed code")).to_have_text("IMAGE_UNDECODABLE")
    refused = "the server responded with a status of 422"
    opened.problems[:] = [each for each in opened.problems if refused not in each]


@pytest.mark.slow
def test_a_run_of_before_is_found_in_the_history(opened: Visit, photo: Path) -> None:
    page = opened.page
    opened.wish("640x200")
    opened.choose(photo)
    opened.run(1)
    page.reload()
    page.click("#open-history")
    page.locator(".runs button", has_text="640×200").first.click()
    opened.results(1)
    assert opened.sizes() == [(640, 200)]
    expect(page.locator("#result-wall .badge.good")).to_have_count(1)


@pytest.mark.slow
def test_names_and_prompts_are_never_markup(opened: Visit, tmp_path: Path) -> None:
    page = opened.page
    nasty = tmp_path / "<img src=x onerror=alert(1)>.png"
    draw_meadow(90, 60).save(nasty)
    opened.choose(nasty)
    page.click("#more summary")
    page.fill("#option-prompt", "</pre><script>alert(1)</script>")
    page.locator("#option-prompt").blur()
    opened.run(6)
    page.click("#copy-code")
    expect(page.locator("#code")).to_contain_text("</pre><script>alert(1)</script>")
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.slow
def test_the_copied_code_does_the_same_again(
    opened: Visit, server: tuple[str, str], photo: Path
) -> None:
    page = opened.page
    opened.choose(photo)
    page.click("#more summary")
    page.fill("#option-prompt", "a 'quoted' $meadow")
    page.locator("#option-prompt").blur()
    opened.run(6)
    shown = [fold["record"] for fold in outputs_of(newest_run(server))]
    page.click("#copy-code")
    again = json.loads(shell(page.locator("#code").inner_text(), server, photo.parent))
    repeated = [output["record"] for output in outputs_of(again)]
    assert [each["output"]["sha256"] for each in repeated] == [
        each["output"]["sha256"] for each in shown
    ]


@pytest.mark.slow
def test_all_pictures_come_in_one_zip(opened: Visit, photo: Path, tmp_path: Path) -> None:
    opened.choose(photo)
    opened.run(6)
    with opened.page.expect_download() as waiting:
        opened.page.click("#download-all")
    path = tmp_path / "sizes.zip"
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as zipped:
        assert zipped.testzip() is None
        pictures = [Image.open(io.BytesIO(zipped.read(name))) for name in zipped.namelist()]
    assert sorted(picture.size for picture in pictures) == sorted(SIX)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(
    browser: Browser, server: tuple[str, str], photo: Path, scheme: Any
) -> None:
    small = {"width": 360, "height": 740}
    long = photo.rename(photo.with_name(f"{'x' * 200}.png"))
    with visit(browser, *server, viewport=small, color_scheme=scheme) as opened:
        expect(opened.page.locator("#chosen li")).to_have_count(6)
        read = opened.page.locator(".record summary").first.click
        for step in (lambda: None, lambda: opened.choose(long), lambda: opened.run(6), read):
            step()
            assert opened.page.evaluate("document.documentElement.scrollWidth") == 360


def shell(command: str, server: tuple[str, str], folder: Path) -> str:
    ended = subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env={**os.environ, "KEY": server[1]},  # noqa: TID251  a child needs its surroundings
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def newest_run(server: tuple[str, str]) -> Any:
    runs = ask(*server, "/v1/runs")["items"]
    return next(run for run in runs if run["input"].get("task") != "plan")


def outputs_of(run: Any) -> Any:
    assert run["status_code"] == "succeeded", run
    return run["output"]["outputs"]
