"""What the server saw is moved, resized and removed by hand, and the plans follow."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Request, expect

from tests.server.page.visit import Visit, ask, visit

GUESS = "Likely subject"
"""How the preview's describer calls what it guesses in the coffee."""

pytestmark = pytest.mark.slow


def seen(opened: Visit, name: str = GUESS) -> Locator:
    """A box that the server saw, in the open editor."""
    return opened.page.get_by_role("group", name=f"{name}: arrow keys move it")


def edit(opened: Visit, *sizes: str) -> list[Any]:
    """Open the first size in the editor; the wishes that plans are asked with from now on."""
    page = opened.page
    opened.wish(*sizes)
    asked: list[Any] = []
    page.on("request", lambda request: hear(asked, request))
    page.click("[data-example='coffee.webp']")
    page.locator(".swatch.subject").wait_for()
    while "composition" not in wait_for_wish(opened, asked):
        pass  # planned before the server looked
    opened.wait_for_plans()
    page.locator("#plan-wall button.frame").first.click()
    return asked


def hear(asked: list[Any], request: Request) -> None:
    if request.url.endswith(("/plans", "/runs")) and request.method == "POST":
        body = request.post_data or ""
        if body.startswith("{"):
            asked.append(json.loads(body)["input"])


def drag(opened: Visit, held: Locator, x: int, y: int) -> None:
    box = held.bounding_box()
    assert box
    mouse = opened.page.mouse
    start = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.move(*start)
    mouse.down()
    mouse.move(start[0] + x / 2, start[1] + y / 2)
    mouse.move(start[0] + x, start[1] + y)
    mouse.up()


def subject_of(wish: Any, name: str = GUESS) -> Any:
    found = [each for each in wish["composition"]["subjects"] if each["label"] == name.lower()]
    return found[0] if found else None


def wait_for_wish(opened: Visit, asked: list[Any]) -> Any:
    """The next wish for plans; those of before are forgotten."""
    for _ in range(1000):
        if asked:
            break
        opened.page.wait_for_timeout(20)
    assert asked
    opened.page.wait_for_timeout(300)  # for those that come close behind it
    last = asked[-1]
    asked.clear()
    return last


def boxes(opened: Visit) -> Any:
    return opened.page.evaluate(
        """() => [...document.querySelectorAll('.edit-boxes .mark')].map(
             (each) => [each.style.left, each.style.top, each.style.width, each.style.height])"""
    )


def test_a_box_that_the_server_saw_is_dragged_and_resized(opened: Visit) -> None:
    asked = edit(opened, "900x300")
    box = seen(opened)
    drag(opened, box.locator(".tag"), 60, 40)
    first = subject_of(wait_for_wish(opened, asked))
    assert (first["trusted"], first["by"]) == (True, "caller")
    expect(box).to_have_class("mark subject chosen")
    drag(opened, box.locator(".corner.se"), -50, -30)
    second = subject_of(wait_for_wish(opened, asked))
    assert second["box"][:2] == first["box"][:2]
    assert second["box"][2] < first["box"][2]
    assert second["box"][3] < first["box"][3]
    drag(opened, box.locator(".corner.nw"), 20, 10)
    third = subject_of(wait_for_wish(opened, asked))
    assert third["box"][2:] == second["box"][2:]
    assert third["box"][0] > second["box"][0]
    expect(opened.page.locator("#legend")).to_contain_text("Seen by the server, corrected")


def test_a_click_chooses_a_box_and_corrects_nothing(opened: Visit) -> None:
    asked = edit(opened, "900x300")
    page = opened.page
    panel = page.get_by_role("group", name="Chosen box")
    expect(panel.get_by_role("button")).to_have_count(0)
    seen(opened).locator(".tag").click()
    expect(panel).to_contain_text("Likely subject, seen by the server")
    expect(panel.get_by_role("button")).to_have_text(["Protect", "Remove"])
    drag(opened, seen(opened).locator(".tag"), 1, 1)  # a hand that is not quite still
    page.wait_for_timeout(300)
    assert asked == []
    page.locator(".bench").focus()
    expect(panel).to_contain_text("Choose a box")


def test_inside_of_a_box_the_picture_is_held_until_the_box_is_chosen(opened: Visit) -> None:
    edit(opened, "900x300")
    page = opened.page
    page.get_by_role("button", name="Fill the frame").click()
    page.locator(".badge.own").wait_for(state="attached")
    before = boxes(opened)
    drag(opened, seen(opened), 0, -30)
    assert boxes(opened) == before
    expect(page.locator("#legend")).not_to_contain_text("corrected")
    seen(opened).locator(".tag").click()
    drag(opened, seen(opened), 0, -30)
    expect(page.locator("#legend")).to_contain_text("corrected")
    assert boxes(opened) != before


def test_a_box_is_moved_resized_and_protected_with_the_keyboard(opened: Visit) -> None:
    asked = edit(opened, "900x300")
    page = opened.page
    box = seen(opened)
    box.focus()
    page.keyboard.press("ArrowDown")
    moved = subject_of(wait_for_wish(opened, asked))["box"]
    expect(box).to_be_focused()
    page.keyboard.press("Control+Shift+ArrowLeft")
    sized = subject_of(wait_for_wish(opened, asked))["box"]
    assert sized == [moved[0], moved[1], pytest.approx(moved[2] - 0.001), moved[3]]
    page.keyboard.press("-")
    smaller = subject_of(wait_for_wish(opened, asked))["box"]
    assert smaller[0] > sized[0]
    page.keyboard.press("Enter")
    guarded = page.get_by_role("group", name="Protected 1")
    expect(guarded).to_be_focused()
    assert wait_for_wish(opened, asked)["protect"] == [smaller]
    page.keyboard.press("Delete")
    expect(guarded).to_have_count(0)
    expect(page.locator(".bench")).to_be_focused()


def test_a_box_is_removed_and_comes_back_with_the_keyboard(opened: Visit) -> None:
    asked = edit(opened, "900x300")
    page = opened.page
    box = seen(opened)
    box.focus()
    page.keyboard.press("Delete")
    expect(box).to_have_count(0)
    expect(page.locator(".bench")).to_be_focused()
    assert subject_of(wait_for_wish(opened, asked)) is None
    restore = page.get_by_role("button", name="Back to what was seen")
    restore.focus()
    page.keyboard.press("Enter")
    expect(box).to_have_count(1)
    expect(restore).to_be_hidden()
    expect(page.locator(".bench")).to_be_focused()
    assert subject_of(wait_for_wish(opened, asked))["by"] == "describer"


def test_the_picture_is_made_as_the_corrected_plan_was_drawn(
    opened: Visit, server: tuple[str, str]
) -> None:
    asked = edit(opened, "900x300", "300x600")
    page = opened.page
    plain = plans_of(opened, server, asked)
    for name in (GUESS, "What stands out", "Text"):
        if seen(opened, name).count():
            seen(opened, name).focus()
            page.get_by_role("button", name="Remove", exact=True).click()
    wait_for_wish(opened, asked)
    page.get_by_role("button", name="Draw a protected box").click()
    ghost = page.locator(".ghost")
    drag(opened, ghost, 60, 60)
    wish = wait_for_wish(opened, asked)
    assert wish["composition"]["subjects"] == []
    expect(page.locator(".edit-words .summary")).not_to_be_empty()
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#run-note")).to_have_text("of coffee.webp, corrected: one run per size")
    opened.run(2)
    runs = ask(*server, "/v1/runs?limit=2")["items"]
    assert {len(run["input"]["targets"]) for run in runs} == {1}
    for run in runs:
        (output,) = run["output"]["outputs"]
        made, given = output["record"]["plan"], run["input"]["plan"]
        assert made["place"] == given["place"]
        assert made["crop"] == pytest.approx(given["crop"])
        assert run["input"]["rules"]["protect"] == [pytest.approx(wish["protect"][0])]
        assert tuple(given["crop"]) not in plain
    assert sorted(opened.sizes()) == [(300, 600), (900, 300)]


def plans_of(opened: Visit, server: tuple[str, str], asked: list[Any]) -> set[tuple[float, ...]]:
    """The crops that were planned before anything was corrected."""
    opened.page.keyboard.press("Escape")
    opened.page.locator("#plan-wall button.frame").first.click()
    del asked[:]
    run = ask(*server, "/v1/runs?task=plan&limit=1")["items"][0]
    return {tuple(each["record"]["plan"]["crop"]) for each in run["output"]["outputs"]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_finger_does_the_same_on_a_phone(
    browser: Browser, server: tuple[str, str], scheme: Any
) -> None:
    small = {"width": 360, "height": 740}
    with visit(browser, *server, viewport=small, color_scheme=scheme, has_touch=True) as opened:
        page = opened.page
        expect(page.locator("#chosen li")).to_have_count(6)
        edit(opened, "900x300")
        seen(opened).locator(".tag").tap()
        remove = page.get_by_role("button", name="Remove", exact=True)
        remove.scroll_into_view_if_needed()
        expect(remove).to_be_in_viewport()
        remove.tap()
        expect(seen(opened)).to_have_count(0)
        expect(page.locator("#legend")).to_contain_text("corrected")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
