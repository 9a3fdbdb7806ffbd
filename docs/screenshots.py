"""Draws the pictures of the page for the README, with the bundled photo and the preview engine.

``python -m docs.screenshots`` needs the test tools and Debian's Chromium.
"""

import io
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser

from tests.server.live import serve
from tests.server.page.visit import open_browser, visit

PICTURES = Path(__file__).parent / "pictures"
VIEW = {"width": 1280, "height": 860}
LARGEST = 300_000
"""Bytes."""

SPLITS = (46, 0, 0, 0, 0, 0)
"""How much of the source each slider shows, percent."""


def write_screenshots() -> None:
    """The page with its results in the light, and with its plans in the dark."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder)) as (base, secret),
        open_browser() as browser,
    ):
        _save("page-dark", _shoot(browser, base, secret, "dark"))
        _save("page-light", _shoot(browser, base, secret, "light"))


def _shoot(browser: Browser, base: str, secret: str, scheme: Literal["light", "dark"]) -> bytes:
    with visit(browser, base, secret, viewport=VIEW, color_scheme=scheme) as opened:
        page = opened.page
        page.locator("#chosen li").nth(5).wait_for()
        page.click("[data-example='coffee.webp']")
        opened.wait_for_plans()
        page.locator(".swatch.subject").wait_for()
        opened.wait_for_plans()
        if scheme == "light":
            opened.run(len(SPLITS))
            opened.sizes()  # once it has them
            for handle, split in zip(page.locator(".handle").all(), SPLITS, strict=True):
                handle.fill(str(split))
        page.mouse.move(1, 1)
        page.evaluate("document.activeElement.blur()")
        page.locator("#stage").evaluate("(stage) => stage.scrollTo(0, 0)")
        return page.screenshot()


def _save(name: str, shot: bytes) -> None:
    """As a PNG of few colours where it would be too large otherwise."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    few = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG)
    path = PICTURES / f"{name}.png"
    few.save(path, optimize=True)
    assert path.stat().st_size < LARGEST, path.stat().st_size


if __name__ == "__main__":
    write_screenshots()
