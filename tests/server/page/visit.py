"""A visit to the page in a real browser, which hears of everything that goes wrong."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
from playwright.sync_api import Browser, Locator, Page, Request, expect, sync_playwright

from tests.house.tools import need

PATIENCE = 60_000
"""Milliseconds: what is waited for comes much sooner on a machine of its own."""

NO_NAMES = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""With it the browser finds no other host than this machine."""

KEEP_KEY = "localStorage.setItem('smart-resize.key', {secret!r})"

HEAR_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI));
"""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Debian's Chromium, cut off from every other host."""
    program = need("chromium")
    arguments = [NO_NAMES, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@dataclass
class Visit:
    """One page, and what went wrong on it so far."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def wish(self, *sizes: str) -> None:
        """Ask for these sizes and no others."""
        self.page.click("#clear-sizes")
        for size in sizes:
            self.page.fill("#custom", size)
            self.page.keyboard.press("Enter")

    def choose(self, *files: Any) -> None:
        """Give it pictures as the file dialog does, and wait for their plans."""
        self.page.set_input_files("#file", files)
        self.wait_for_plans()

    def wait_for_plans(self) -> None:
        """Until every chosen size has its plan."""
        sizes = self.page.locator("#chosen li").count()
        expect(self.page.locator("#plan-wall .summary")).to_have_count(sizes, timeout=PATIENCE)

    def run(self, count: int) -> Locator:
        """Press the one button; the pictures that come out."""
        self.page.click("#run")
        return self.results(count)

    def results(self, count: int) -> Locator:
        """The pictures on the wall, once all are there."""
        made = self.page.locator("#result-wall img.made")
        expect(made).to_have_count(count, timeout=PATIENCE)
        return made

    def sizes(self) -> list[tuple[int, int]]:
        """What the browser measures of the pictures on the wall, once it has them."""
        measured = self.page.evaluate(
            """() => Promise.all([...document.querySelectorAll('img.made')].map(
                 (each) => each.decode().then(() => [each.naturalWidth, each.naturalHeight])))"""
        )
        return [(width, height) for width, height in measured]


@contextmanager
def visit(browser: Browser, base: str, secret: str | None, **surroundings: Any) -> Iterator[Visit]:
    """The page as it has just been opened; in the end nothing may have gone wrong."""
    context = browser.new_context(**surroundings)
    context.add_init_script(HEAR_VIOLATIONS)
    if secret:
        context.add_init_script(KEEP_KEY.format(secret=secret))
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    visited = Visit(page, base)
    page.on("pageerror", lambda error: visited.problems.append(f"thrown: {error}"))
    page.on("console", lambda said: _hear(visited, said))
    page.on("request", lambda request: _check(visited, request))
    page.goto(f"{base}/")
    yield visited
    context.close()
    assert visited.problems == []


def _hear(visited: Visit, said: Any) -> None:
    if said.type in {"error", "warning"}:
        visited.problems.append(f"{said.type}: {said.text}")


def _check(visited: Visit, request: Request) -> None:
    visited.asked.append(request.url)
    address = urlsplit(request.url)
    if address.scheme not in {"blob", "data"} and not request.url.startswith(visited.base + "/"):
        visited.problems.append(f"asked another host: {request.url}")


def ask(base: str, secret: str, path: str) -> Any:
    """What the API answers to the holder of a key."""
    return httpx2.get(base + path, headers={"Authorization": f"Bearer {secret}"}).json()
