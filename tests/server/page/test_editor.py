"""A size by hand, with the pointer and with the keys alone."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.server.page.visit import Visit, ask

SIX = [(1080, 1080), (1080, 1350), (1080, 1920), (1200, 628), (300, 250), (728, 90)]

pytestmark = pytest.mark.slow


def test_everything_can_be_done_with_the_keyboard(opened: Visit, photo: Path) -> None:
    page = opened.page
    opened.choose(photo)
    expect(page.locator("#run")).to_be_focused()
    page.locator("#custom").focus()
    page.keyboard.type("200x100")
    page.keyboard.press("Enter")
    expect(page.locator("#chosen li")).to_have_count(7)
    for _ in range(6):
        page.locator("#chosen button").first.focus()
        page.keyboard.press("Enter")
    opened.wait_for_plans()
    page.locator("#plan-wall button.frame").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".bench")).to_be_focused()
    for key in ("+", "+", "ArrowLeft", "Shift+ArrowUp"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    expect(page.locator(".badge.own")).to_have_text("Placed by hand")
    page.locator("#run").focus()
    page.keyboard.press("Enter")
    opened.results(1)
    assert opened.sizes() == [(200, 100)]
    page.locator(".handle").focus()
    page.keyboard.press("End")
    expect(page.locator(".handle")).to_have_attribute(
        "aria-valuetext", "100 % of the source's side is shown"
    )


def test_the_plan_that_was_edited_is_what_comes_out(
    opened: Visit, server: tuple[str, str], photo: Path
) -> None:
    page, (base, secret) = opened.page, server
    opened.choose(photo)
    page.locator("#plan-wall button.frame").nth(2).click()
    drag(opened, (0, 0), (0, -80))
    page.get_by_role("button", name="Draw a protected box").click()
    drag(opened, (-40, -120), (40, -60))
    guarded = page.locator(".mark.guarded[tabindex]")
    expect(guarded).to_have_count(1)
    guarded.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.get_by_role("button", name="Done").click()
    opened.wait_for_plans()
    opened.run(6)
    assert opened.sizes() == SIX
    runs = ask(base, secret, "/v1/runs")["items"]
    by_hand = next(run for run in runs if run["input"]["plan"])
    (output,) = by_hand["output"]["outputs"]
    plan, wanted = output["record"]["plan"], by_hand["input"]["plan"]
    assert plan["place"] == wanted["place"]
    assert plan["crop"] == pytest.approx(wanted["crop"])
    assert plan["place"][1] < 600  # higher than the middle
    assert output["content_type"] == "image/jpeg"  # as the preset wants it
    others = next(run for run in runs if len(run["input"]["targets"]) == 5)
    assert len(others["input"]["rules"]["protect"]) == 1


def drag(opened: Visit, start: tuple[int, int], end: tuple[int, int]) -> None:
    """From one point to another, px from the middle of the editor's table."""
    box = opened.page.locator(".bench").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = opened.page.mouse
    mouse.move(x + start[0], y + start[1])
    mouse.down()
    mouse.move(x + end[0] / 2, y + end[1] / 2)
    mouse.move(x + end[0], y + end[1])
    mouse.up()


def test_a_box_can_be_forgotten_and_the_plan_be_automatic_again(opened: Visit, photo: Path) -> None:
    page = opened.page
    opened.choose(photo)
    page.locator("#plan-wall button.frame").first.click()
    page.get_by_role("button", name="Fill the frame").click()
    expect(page.locator(".edit-words .summary")).to_contain_text("Added 0 %")
    page.get_by_role("button", name="Draw a protected box").click()
    drag(opened, (-50, -50), (50, 50))
    guarded = page.locator(".mark.guarded[tabindex]")
    guarded.focus()
    page.keyboard.press("Delete")
    expect(guarded).to_have_count(0)
    page.get_by_role("button", name="Back to automatic").click()
    expect(page.get_by_role("button", name="Back to automatic")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.locator(".badge.own")).to_have_count(0)
