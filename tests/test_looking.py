"""Looking at pictures, in a real browser: long lists, the way back, keys, swipes, a walk."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from mlx_clip import Encoder
from tests.pictures import drawing
from tests.program import program
from tests.test_browser import LAYOUT_SHIFT, NARROW, browser, names, opened_page
from tests.web_fixtures import (
    Library,
    crawl_folder,
    opened,
    own_library,
    served,
    settings_of,
)
from web import site

__all__ = ["browser", "own_library"]

pytestmark = pytest.mark.browser

TILES = "main a[data-picture]"


@pytest.fixture(scope="module")
def address(shared_library: Library) -> Iterator[str]:
    with program("--data", str(shared_library.settings.data_dir)) as (_, address):
        yield address


def ids(page: Page) -> list[str]:
    found = page.locator(TILES).evaluate_all("tiles => tiles.map((tile) => tile.dataset.picture)")
    return [str(image_id) for image_id in found]


def here(page: Page) -> str:
    """The number of the picture whose page this is."""
    found = re.search(r"/pictures/(\d+)", page.url)
    assert found
    return found[1]


def scroll_to(page: Page, count: int) -> None:
    """Turn the wheel until a list shows so many pictures."""
    page.mouse.move(600, 400)
    for _ in range(400):
        if page.locator(TILES).count() >= count:
            return
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(20)
    pytest.fail(f"the list ended with {page.locator(TILES).count()} pictures")


def test_words_three_similar_pictures_and_back_along_the_trail(
    browser: Browser, address: str
) -> None:
    with opened_page(browser) as page:
        page.goto(f"{address}/search?q=cat")
        seen = names(page)[:1]
        page.locator(TILES).first.click()
        for _ in range(3):
            expect(page).to_have_title(f"{seen[-1]} – Kindred")
            expect(page.locator("#q")).to_have_value("cat")
            seen.append(names(page)[1])
            page.locator(".tile", has_text=seen[-1]).click()
        expect(page.locator(".trail a")).to_have_count(3)
        for name in reversed(seen[:3]):
            page.locator(".trail a").last.click()
            expect(page).to_have_title(f"{name} – Kindred")
        page.locator("#q").press("Enter")
        expect(page).to_have_title("cat – Kindred")


def test_a_long_list_and_the_way_back_into_it(browser: Browser, address: str) -> None:
    with opened_page(browser) as page:
        page.goto(f"{address}/search?q=cat")
        page.evaluate(
            """() => {
                window.shift = 0;
                const add = (list) => list.getEntries().forEach((entry) => (shift += entry.value));
                new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
            }"""
        )
        scroll_to(page, 150)
        shown = ids(page)
        assert len(shown) == len(set(shown))
        assert page.evaluate("shift") < 0.02
        expect(page.locator(".edge")).to_have_count(1)
        expect(page.locator(".summary")).to_contain_text(f"1–{page.url.split('show=')[1]} of")
        # Rows are whole wherever two pages meet.
        boxes = page.locator(".rows-onward").evaluate_all(
            "boxes => boxes.map((box) => [...box.children].at(-1).getBoundingClientRect().right)"
        )
        assert all(abs(right - 1256) < 2 for right in boxes[:-1])

        tile = page.locator(TILES).nth(100)
        tile.scroll_into_view_if_needed()
        place = page.evaluate("scrollY")
        tile.click()
        expect(page.locator(".stage")).to_be_visible()
        page.go_back()
        page.wait_for_function("(place) => Math.abs(scrollY - place) < 2", arg=place)
        scroll_to(page, len(shown) + 1)
        while page.locator(".more a").count():
            scroll_to(page, page.locator(TILES).count() + 1)
        expect(page.locator(".more")).to_have_text("That was all of them")
        every = ids(page)
        assert len(every) == len(set(every))


def test_a_window_of_another_width_has_whole_rows_too(browser: Browser, address: str) -> None:
    with opened_page(browser) as page:
        page.goto(f"{address}/search?q=cat")
        scroll_to(page, 100)
        before = ids(page)
        page.set_viewport_size({"width": 900, "height": 800})
        # A row is whole when the first tile of the next box would not have fitted into it.
        page.wait_for_function(
            """() => {
                const width = (tile) => 192 * getComputedStyle(tile).getPropertyValue("--r") + 4;
                const boxes = [...document.querySelectorAll(".rows-onward")];
                return boxes.slice(0, -1).every((box, place) => {
                    const row = [...box.children].filter(
                        (tile) => tile.offsetTop === box.lastElementChild.offsetTop);
                    const next = boxes[place + 1].firstElementChild;
                    return [...row, next].reduce((sum, tile) => sum + width(tile), -4) > 852;
                });
            }"""
        )
        assert ids(page)[: len(before)] == before


def test_the_keyboard_walks_through_a_list(browser: Browser, address: str) -> None:
    with opened_page(browser) as page:
        page.goto(f"{address}/search?q=cat")
        shown = ids(page)
        page.locator(TILES).first.focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator(TILES).nth(1)).to_be_focused()
        page.keyboard.press("ArrowDown")
        below = page.evaluate("document.activeElement.getBoundingClientRect().top")
        assert below > page.locator(TILES).nth(1).evaluate("e => e.getBoundingClientRect().bottom")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Home")
        page.locator(TILES).nth(1).press("Enter")
        expect(page.locator(".side-next")).to_have_attribute("href", f"/pictures/{shown[2]}?q=cat")
        for key, number in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)):
            page.keyboard.press(key)
            page.wait_for_url(f"**/pictures/{shown[number]}?q=cat")
            expect(page.locator(".side-previous")).to_have_attribute(
                "href", f"/pictures/{shown[number - 1]}?q=cat"
            )
        page.keyboard.press("i")
        expect(page.locator(".facts")).to_be_visible()
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#keys")).to_be_hidden()
        assert here(page) == shown[2]
        page.keyboard.press("Escape")
        expect(page).to_have_title("cat – Kindred")
        expect(page.locator(TILES).nth(2)).to_be_focused()
        page.keyboard.press("r")
        expect(page.locator(".stage")).to_be_visible()
        expect(page.locator("#q")).to_have_value("")


def test_a_list_goes_on_for_whoever_walks_through_it(browser: Browser, address: str) -> None:
    with opened_page(browser) as page:
        page.goto(f"{address}/search?q=cat&show=24")
        page.locator(TILES).nth(20).click()
        for _ in range(6):
            following = page.locator(".side-next[href$='?q=cat']").get_attribute("href")
            page.keyboard.press("ArrowRight")
            page.wait_for_url(f"**{following}")
        page.go_back()
        expect(page).to_have_title("cat – Kindred")


def test_near_duplicates_are_shown_once_where_pages_meet(
    browser: Browser, own_library: Library, encoder: Encoder
) -> None:
    drawing(50).save(own_library.photos / "one.png")
    drawing(50).save(own_library.photos / "again.jpg", quality=80)
    crawl_folder(own_library.settings, encoder, own_library.photos)
    settings = settings_of(own_library.settings.data_dir, "1")
    with opened(settings) as app, served(app) as address, opened_page(browser) as page:
        site.of(app).duplicates.refresh()
        page.goto(f"{address}/search?q=dog")
        expect(page.locator(".more")).to_have_text("That was all of them", timeout=30_000)
        shown = set(names(page))
        assert len(shown) == 9
        assert len(shown & {"one.png", "again.jpg"}) == 1


def test_letters_can_be_switched_off(browser: Browser, address: str) -> None:
    with opened_page(browser) as page:
        page.goto(address)
        page.get_by_role("button", name="Keys").click()
        page.locator("#keys-on").uncheck()
        page.get_by_role("button", name="Close").click()
        page.reload()
        page.keyboard.press("/")
        page.keyboard.press("?")
        expect(page.locator("#q")).not_to_be_focused()
        expect(page.locator("#keys")).to_be_hidden()


def swipe(page: Page, start: tuple[int, int], end: tuple[int, int]) -> None:
    """One finger from a point of the window to another, as the device reports it."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    send("touchStart", start)
    for part in (0.25, 0.5, 0.75, 1):
        send(
            "touchMove",
            (start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])),
        )
    send("touchEnd")


def test_a_swipe_goes_to_the_next_picture(browser: Browser, address: str) -> None:
    with opened_page(browser, NARROW, touch=True) as page:
        page.goto(f"{address}/search?q=cat")
        shown = ids(page)
        page.locator(TILES).nth(1).tap()
        next_side = page.locator(".side-next")
        expect(next_side).to_have_attribute("href", f"/pictures/{shown[2]}?q=cat")
        swipe(page, (300, 200), (120, 210))
        page.wait_for_url(f"**/pictures/{shown[2]}?q=cat")
        expect(next_side).to_have_attribute("href", f"/pictures/{shown[3]}?q=cat")
        swipe(page, (120, 200), (300, 210))
        page.wait_for_url(f"**/pictures/{shown[1]}?q=cat")
        expect(next_side).to_have_attribute("href", f"/pictures/{shown[2]}?q=cat")
        swipe(page, (380, 200), (120, 210))  # from the edge, which is the browser's
        swipe(page, (200, 250), (180, 60))  # upwards, which is the page's
        page.wait_for_function("scrollY > 50")
        assert here(page) == shown[1]
        assert page.evaluate(LAYOUT_SHIFT) < 0.02


def test_lists_and_walks_without_scripts(browser: Browser, address: str) -> None:
    with opened_page(browser, script=False) as page:
        page.goto(f"{address}/search?q=cat")
        first = ids(page)
        page.locator(".more a").click()
        assert not set(first) & set(ids(page))
        page.locator(TILES).first.click()
        picture = here(page)
        page.locator(".stage").hover()
        page.locator(".side-next").click()
        page.locator(".stage").hover()
        page.locator(".side-previous").click()
        assert here(page) == picture
        page.get_by_role("link", name="Add to search").click()
        assert f"cat + #{picture}" in page.title()


def test_the_path_can_be_copied(browser: Browser, address: str) -> None:
    with opened_page(browser) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{address}/search?q=beagle")
        page.locator(TILES).first.click()
        page.locator(".about summary").click()
        page.locator(".copy").first.click()
        expect(page.locator(".copy").first).to_have_text("Copied")
        path = page.evaluate("navigator.clipboard.readText()")
        assert path.startswith("/") and path.endswith(page.title().removesuffix(" – Kindred"))
