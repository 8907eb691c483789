"""Writes docs/screenshots: the site over samples/, as the README shows it.

`python -m tools.screenshots`, from the project's root. Needs a Chromium.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.chromium import MISSING, find_chromium

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "screenshots"
SIZES = ((1280, 800), (390, 844))
QUALITY = 82


def main() -> int:
    """Crawl the samples into a temporary library, serve it, and look."""
    path = find_chromium()
    if path is None:
        print(MISSING, file=sys.stderr)
        return 2
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, served(data) as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for width, height in SIZES:
            for name, scheme in (("home", "light"), ("search", "light"), ("picture", "dark")):
                page = browser.new_page(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                go_to(page, address, name)
                take(page, TARGET / f"{name}-{width}.jpg")
                page.close()
        browser.close()
    return 0


@contextmanager
def served(data: str) -> Iterator[str]:
    """The site over the samples; gives its address once the index is there."""
    crawl = [sys.executable, "-m", "crawler", "samples", "--data", data]
    subprocess.run(crawl, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    command = [sys.executable, "app.py", "--data", data, "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as site:
        try:
            assert site.stdout is not None
            found = re.search(r"http://\S+", site.stdout.readline())
            assert found, "the site did not start"
            yield found[0]
        finally:
            site.terminate()


def go_to(page: Page, address: str, name: str) -> None:
    """Bring a page to what its screenshot is to show."""
    page.goto(address)
    # The foot speaks of the index until it is open.
    while "index" in page.locator(".foot").inner_text():
        page.wait_for_timeout(200)
        page.reload()
    if name == "search":
        page.goto(f"{address}/search?q=dog")
    elif name == "picture":
        page.goto(f"{address}/search?q=cheetah")
        for closest in (0, 2, 4):  # the closest alone would lead back and forth
            with page.expect_navigation():
                page.locator("a.tile").nth(closest).click()
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)


def take(page: Page, target: Path) -> None:
    """The page as a JPEG that is small enough to live in the repository."""
    raw = target.with_suffix(".png")
    page.screenshot(path=raw)
    with Image.open(raw) as image:
        image.convert("RGB").save(target, quality=QUALITY, optimize=True, progressive=True)
    raw.unlink()


if __name__ == "__main__":
    sys.exit(main())
