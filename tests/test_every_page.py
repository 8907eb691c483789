"""Every page, light and dark, wide and narrow: it fits, keeps still, and is for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.program import program
from tests.test_browser import (
    LAYOUT_SHIFT,
    NARROW,
    SCREENSHOTS,
    WIDE,
    address,
    browser,
    opened_page,
)

__all__ = ["address", "browser"]

pytestmark = pytest.mark.browser

PAGES = {
    "home": "/",
    "results": "/search?q=dog",
    "chips": "/search?q=dog+%2B+2:%234+-+snow+-+%235+type:jpeg+folder:photos",
    "weaker": "/search?q=xqzv+wkpt",
    "no-result": "/search?q=type:gif+camera:nobody",
    "behind-the-last": "/search?q=dog&from=-0.9,1,500",
    "mistake": "/search?q=dog+before:20x9",
    "picture": "/pictures/4?trail=1,2,3",
    "folder": "/folders/2",
    "duplicates": "/duplicates",
    "styles": "/styles",
    "styles-asked": "/styles?q=a+drawing+of+a+dog",
    "map": "/maps/1",
    "cluster": "/maps/1/clusters/1",
    "collection": "/collections/1",
    "item": "/items/1",
    "library": "/library",
    "failures": "/library/failures",
    "choose": "/folders/choose",
    "crawl": "/crawls/1",
    "no-page": "/nowhere",
    "offline": "/offline",
}
"""By the name of its screenshot, every page of a library with pictures."""

EMPTY_PAGES = {
    "empty": "/",
    "empty-search": "/search?q=dog",
    "empty-duplicates": "/duplicates",
    "empty-styles": "/styles",
}

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BY_SCHEME = pytest.mark.parametrize("scheme", ["light", "dark"])
BY_SIZE = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
REFUSED = "Failed to load resource: the server responded with a status of 40"


@pytest.fixture(scope="module")
def empty_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with program("--data", str(tmp_path_factory.mktemp("empty"))) as (_, address):
        yield address


@BY_SIZE
@BY_SCHEME
def test_every_page_is_for_everybody(
    browser: Browser, address: str, size: tuple[int, int], scheme: str
) -> None:
    with opened_page(browser, size, scheme, forgiven=(REFUSED,)) as page:
        page.goto(f"{address}/duplicates")
        while page.get_by_text("Looking for duplicates").count():
            page.reload()
        found = [
            fault
            for name, url in PAGES.items()
            for fault in faults(page, address + url, f"{name}-{size[0]}-{scheme}")
        ]
        assert found == []


@BY_SIZE
@BY_SCHEME
def test_an_empty_library_is_for_everybody(
    browser: Browser, empty_address: str, size: tuple[int, int], scheme: str
) -> None:
    with opened_page(browser, size, scheme, forgiven=(REFUSED,)) as page:
        found = [
            fault
            for name, url in EMPTY_PAGES.items()
            for fault in faults(page, empty_address + url, f"{name}-{size[0]}-{scheme}")
        ]
        assert found == []


def faults(page: Page, url: str, name: str) -> list[str]:
    """Keep a picture of a page, and say what is wrong with it."""
    page.goto(url)
    jumps = page.evaluate(LAYOUT_SHIFT)
    found = [f"layout shift {jumps}"] if jumps >= 0.02 else []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    size = page.viewport_size
    assert size
    wide = size["width"] == WIDE[0]
    found += violations(page) if wide else []
    # At 200% a window has half as many pixels; 320 are a window of 1280 at 400%.
    for width in (640, 320) if wide else (320,):
        page.set_viewport_size({"width": width, "height": size["height"]})
        needed = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{needed} px wide at {width}"] if needed > width else []
    if not wide and "light" in name:  # what is dark and narrow is no other page
        found += violations(page)
    page.set_viewport_size(size)
    return [f"{name}: {fault}" for fault in found]


def violations(page: Page) -> list[str]:
    """What axe finds in a page: the rule, and the element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe())
    options = {
        "runOnly": STANDARDS,
        "rules": {"target-size": {"enabled": True}},
        "resultTypes": ["violations"],
    }
    found: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@cache
def axe() -> str:
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


def test_what_is_wrong_with_a_page_is_found(browser: Browser, address: str) -> None:
    with opened_page(browser, WIDE) as page:
        page.goto(address)
        page.evaluate("document.querySelector('a.tile img').removeAttribute('alt')")
        page.evaluate("document.querySelector('.foot').style.color = '#bbb'")
        page.evaluate("document.querySelector('.theme').style.cssText = 'zoom: .4; gap: 0'")
        rules = {text.partition(":")[0] for text in violations(page)}
        assert {"image-alt", "color-contrast", "target-size"} <= rules


def test_nothing_moves_for_those_who_ask_for_less(browser: Browser, address: str) -> None:
    with opened_page(browser, WIDE, motion="reduce") as page:
        page.goto(f"{address}/search?q=dog")
        moving = page.evaluate(
            """() => [...document.querySelectorAll("*")].filter((element) => {
                const style = getComputedStyle(element);
                return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
            }).length"""
        )
        assert moving == 0


def test_the_focus_is_always_seen(browser: Browser, address: str) -> None:
    with opened_page(browser, NARROW) as page:
        page.goto(f"{address}/search?q=dog+-cat")
        for _ in range(12):
            page.keyboard.press("Tab")
            focused = page.locator(":focus")
            expect(focused).to_be_visible()
            assert page.evaluate(FOCUS_IS_SEEN), focused.evaluate("element => element.outerHTML")


# An outline, or a ring around the bar or the button that holds a field.
FOCUS_IS_SEEN = """() => {
    for (let at = document.activeElement; at && at !== document.body; at = at.parentElement) {
        const style = getComputedStyle(at);
        if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) return true;
        if (style.boxShadow !== "none") return true;
    }
    return document.activeElement.matches(".skip");
}"""


def test_the_sizes_that_pages_name_are_the_icons(browser: Browser, address: str) -> None:
    with opened_page(browser, WIDE) as page:
        page.goto(address)
        manifest = page.locator("link[rel=manifest]").get_attribute("href")
        said = page.evaluate("url => fetch(url).then((answer) => answer.json())", manifest)
        assert {icon["sizes"] for icon in said["icons"]} == {"any", "192x192", "512x512"}
        touch = page.locator("link[rel=apple-touch-icon]").get_attribute("href")
        icons = [{"src": touch, "sizes": "180x180"}, *said["icons"]]
        for icon in icons:
            size = page.evaluate(
                """async ([icon, manifest]) => {
                    const image = new Image();
                    image.src = new URL(icon, new URL(manifest, location));
                    await image.decode();
                    return `${image.naturalWidth}x${image.naturalHeight}`;
                }""",
                [icon["src"], manifest],
            )
            assert icon["sizes"] in ("any", size)
            assert re.fullmatch(r"\d+x\d+", size)
