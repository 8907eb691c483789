"""The journey from nothing to the first search, in a real browser against the real program."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pictures import fill
from tests.program import program
from tests.test_browser import LAYOUT_SHIFT, NARROW, WIDE, browser, keep, opened_page
from tests.web_fixtures import SAMPLES

__all__ = ["browser"]

pytestmark = pytest.mark.browser

DRAWINGS = 80


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with animals and many drawings in Pictures, and an empty folder."""
    home = tmp_path / "home"
    fill(home / "Pictures" / "Drawings", DRAWINGS)
    (home / "Pictures" / "Animals").mkdir()
    for name in ("beagle.png", "beagle.png", "kitten.jpg", "lion.png", "gull.png"):
        shutil.copy(SAMPLES / "animals" / name, home / "Pictures" / "Animals")
    (home / "Pictures" / "broken.jpg").write_bytes(b"x")
    (home / "Empty").mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def address(home: Path, tmp_path: Path) -> Iterator[str]:
    """The program over a library that there was not."""
    with program("--data", str(tmp_path / "data")) as (_, address):
        yield address


def choose(page: Page, address: str, home: Path) -> None:
    """From the first visit to the folder of pictures, by clicks."""
    page.goto(address)
    expect(page.locator("h1")).to_have_text("Choose a folder of pictures")
    page.get_by_role("link", name="Your home folder").click()
    expect(page.get_by_label("Folder", exact=True)).to_have_value(str(home))
    page.get_by_role("link", name="Pictures", exact=True).click()
    expect(page.get_by_label("Folder", exact=True)).to_have_value(f"{home}/Pictures")
    expect(page.get_by_text("1 picture in this folder")).to_be_visible()


def test_from_nothing_to_the_first_search(browser: Browser, address: str, home: Path) -> None:
    with opened_page(browser) as page:
        choose(page, address, home)
        page.get_by_role("button", name="Start").click()
        # It fills while one looks on, and nothing that stands there moves.
        expect(page.locator("#poll")).to_be_attached()
        expect(page.locator("a.frame").nth(20)).to_be_visible(timeout=60_000)
        expect(page.locator("progress")).to_have_attribute("max", str(DRAWINGS + 5))

        page.get_by_role("button", name="Stop").click()
        expect(page.locator("h1")).to_have_text("Stopped before its end", timeout=30_000)
        expect(page.locator("#poll")).to_have_count(0)
        page.goto(address)  # leaving loses nothing
        page.get_by_role("link", name="A crawl was cut off").click()
        page.get_by_role("button", name="Go on").click()

        expect(page.locator("h1")).to_have_text("Done", timeout=60_000)
        expect(page.get_by_role("main")).to_contain_text("broken.jpg")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_timeout(2_000)
        # It asks no more when there is no more to come.
        assert [url for url in asked if "/crawls/" in url] == []
        jumps = page.evaluate(LAYOUT_SHIFT)
        assert jumps < 0.02, f"layout shift {jumps}"

        page.get_by_role("link", name="Look at the pictures").click()
        page.locator("#q").fill("dog")
        page.keyboard.press("Enter")
        expect(page.locator("a.tile img").first).to_have_attribute("alt", "beagle.png")

        page.get_by_role("link", name="Library").click()
        expect(page.get_by_role("main")).to_contain_text(f"{home}/Pictures")
        page.get_by_role("link", name="could not be read").click()
        expect(page.get_by_role("main")).to_contain_text(f"{home}/Pictures/broken.jpg")


def test_choosing_and_starting_work_without_scripts(
    browser: Browser, address: str, home: Path
) -> None:
    with opened_page(browser, script=False) as page:
        choose(page, address, home)
        page.get_by_role("link", name="Animals").click()
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("link", name="Look again")).to_be_visible()
        # The page asks for itself again.
        expect(page.locator("h1")).to_have_text("Done", timeout=60_000)
        page.get_by_role("link", name="Look at the pictures").click()
        expect(page.locator("a.tile").first).to_be_visible()


def test_the_pages_fit(browser: Browser, address: str, home: Path) -> None:
    with opened_page(browser) as page:
        page.goto(f"{address}/folders/choose?at={home}/Pictures/Animals")
        page.get_by_role("button", name="Start").click()
        expect(page.locator("h1")).to_have_text("Done", timeout=60_000)
        crawl = page.url.removeprefix(address)
    pages = {"choose": f"/folders/choose?at={home}/Pictures", "crawl": crawl}
    pages |= {"library": "/library", "failures": "/library/failures"}
    for size, scheme in product((WIDE, NARROW), ("light", "dark")):
        with opened_page(browser, size, scheme) as page:
            for name, url in pages.items():
                page.goto(address + url)
                for width in (320, size[0]):
                    page.set_viewport_size({"width": width, "height": size[1]})
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, url
                keep(page, f"{name}-{size[0]}-{scheme}")
