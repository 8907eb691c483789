"""The whole way, in one go: from a first visit to the duplicates, with a mouse and with a thumb."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.pictures import fill
from tests.program import program
from tests.test_browser import NARROW, WIDE, browser, give, names, opened_page
from tests.test_looking import TILES, ids, swipe
from tests.web_fixtures import SAMPLES

__all__ = ["browser"]

pytestmark = pytest.mark.browser


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with animals, one of them twice, and drawings in Pictures."""
    pictures = tmp_path / "home" / "Pictures"
    fill(pictures / "Drawings", 4)
    shutil.copytree(SAMPLES / "animals", pictures / "Animals")
    shutil.copy(SAMPLES / "animals" / "lion.png", pictures / "lion again.png")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return pictures


@pytest.fixture
def address(home: Path, tmp_path: Path) -> Iterator[str]:
    with program("--data", str(tmp_path / "data")) as (_, address):
        yield address


@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "touch"])
def test_from_a_first_visit_to_the_duplicates(
    browser: Browser, address: str, home: Path, touch: bool
) -> None:
    def press(target: Locator) -> None:
        if touch:
            target.tap()
        else:
            target.click()

    with opened_page(browser, NARROW if touch else WIDE, touch=touch) as page:
        page.goto(address)
        press(page.get_by_role("link", name="Your pictures"))
        press(page.get_by_role("button", name="Start"))
        expect(page.locator("h1")).to_have_text("Done", timeout=90_000)
        press(page.get_by_role("link", name="Look at the pictures"))

        search(page, "dog")
        seen = names(page)[:1]
        press(page.locator(TILES).first)
        for _ in range(3):
            expect(page).to_have_title(f"{seen[-1]} – Kindred")
            seen.append(next(name for name in names(page) if name not in seen))
            press(page.locator(".similar .tile", has_text=seen[-1]))
        expect(page.locator(".trail a")).to_have_count(3)
        for name in reversed(seen[:3]):
            press(page.locator(".trail a").last)
            expect(page).to_have_title(f"{name} – Kindred")

        beagle = SAMPLES / "animals" / "beagle.png"
        if touch:
            page.set_input_files(".bar-file", beagle)
        else:
            give(page, beagle, "drop")
        expect(page).to_have_title("Pictures like yours – Kindred")
        assert names(page)[0] == "beagle.png"

        search(page, "dog - beagle")
        assert names(page)[0] != "beagle.png"
        press(page.locator(".bar-button", has_text="Filters"))
        page.fill("input[name=taken_after]", "2001")
        page.press("input[name=taken_after]", "Enter")
        expect(page).to_have_title("dog - beagle after:2001 – Kindred")
        shown, listed = names(page), ids(page)

        press(page.locator(TILES).first)
        for number in (1, 2):
            # Once the scripts know the list, which is when a key or a swipe does something.
            behind = re.compile(f"/pictures/{listed[number]}.*after")
            expect(page.locator(".side-next")).to_have_attribute("href", behind)
            if touch:
                swipe(page, (300, 200), (120, 210))
            else:
                page.keyboard.press("ArrowRight")
            expect(page).to_have_title(f"{shown[number]} – Kindred")
        before = re.compile(f"/pictures/{listed[1]}.*after")
        expect(page.locator(".side-previous")).to_have_attribute("href", before)
        if touch:
            page.go_back()
        else:
            page.keyboard.press("Escape")
        expect(page).to_have_title("dog - beagle after:2001 – Kindred")

        page.goto(address)
        press(page.get_by_role("link", name="Duplicates"))
        expect(page.get_by_role("main")).to_contain_text("lion again.png")


def search(page: Page, text: str) -> None:
    page.fill("#q", text)
    page.press("#q", "Enter")
    expect(page).to_have_title(f"{text} – Kindred")
