"""The main job, in a real browser against the real program, started as a user starts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from tests.chromium import MISSING, find_chromium
from tests.program import program
from tests.web_fixtures import SAMPLES, Library

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent
SCREENSHOTS = ROOT / "artefacts" / "screenshots"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--no-first-run",
)
WIDE, NARROW = (1280, 800), (390, 844)
# Pictures that were still on their way when the next page was opened, and a machine too busy for
# a transition, are no complaint.
# What Chromium says of WebGL without a graphics card is none either.
DRIVER = ("[.WebGL", "[GroupMarkerNotSet")
HASTE = ("failed: ", "Transition was skipped")


@pytest.fixture(scope="module")
def address(shared_library: Library) -> Iterator[str]:
    with program("--data", str(shared_library.settings.data_dir)) as (_, address):
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def opened_page(
    browser: Browser,
    size: tuple[int, int] = WIDE,
    scheme: str = "light",
    script: bool = True,
    touch: bool = False,
    motion: Literal["reduce", "no-preference"] = "no-preference",
    forgiven: tuple[str, ...] = (),
) -> Iterator[Page]:
    """A page that fails the test for whatever the browser complains of, or asks others for.

    Complaints that begin as `forgiven` are none.
    """
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
        has_touch=touch,
        is_mobile=touch,
        reduced_motion=motion,
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.extend(foreign(request)))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    yield page
    context.close()
    forgiven += HASTE + DRIVER
    assert [text for text in complaints if not text.startswith(forgiven)] == []


def foreign(request: Request) -> list[str]:
    own = request.url.startswith(("http://127.0.0.1:", "data:"))
    return [] if own else [f"asked elsewhere: {request.url}"]


def keep(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def names(page: Page) -> list[str]:
    return [str(image.get_attribute("alt")) for image in page.locator("a.tile img").all()]


def test_search_click_and_walk(browser: Browser, address: str) -> None:
    with opened_page(browser) as page:
        page.goto(address)
        page.keyboard.press("/")
        expect(page.locator("#q")).to_be_focused()
        page.keyboard.type("dog")
        page.keyboard.press("Enter")
        expect(page).to_have_title("dog – Kindred")
        # Samples are named for what they show; these are the dogs.
        first = names(page)[0]
        assert re.search("dog|beagle|labrador|bulldog|dachshund|shepherd", first), first

        page.locator("a.tile").first.click()
        expect(page).to_have_title(f"{first} – Kindred")
        expect(page.locator(".stage-image")).to_be_in_viewport(ratio=0.99)
        expect(page.locator("a.tile").first).to_be_in_viewport()
        assert (
            page.locator(".stage-image").evaluate(
                "image => image.decode().then(() => image.naturalWidth)"
            )
            > 0
        )

        second = names(page)[0]
        page.locator("a.tile").first.click()
        expect(page).to_have_title(f"{second} – Kindred")
        expect(page.locator(".trail a")).to_have_count(1)
        expect(page.locator(".trail a img")).to_have_attribute("alt", first)
        assert second not in names(page)

        page.locator(".trail a").click()
        expect(page).to_have_title(f"{first} – Kindred")
        expect(page.locator(".trail")).to_have_count(0)


def test_the_picture_takes_the_room_there_is(browser: Browser, address: str) -> None:
    with opened_page(browser) as page:
        page.goto(f"{address}/search?q=beagle")
        page.locator("a.tile").first.click()
        box = page.locator(".stage-picture").bounding_box()
        assert box is not None
        assert max(box["width"] / 800, box["height"] / 640) > 0.8
        image = page.locator(".stage-image")
        shape = image.evaluate(
            "image => image.decode().then(() => image.naturalWidth / image.naturalHeight)"
        )
        assert box["width"] / box["height"] == pytest.approx(shape, rel=0.02)


def test_names_and_facts_unfold(browser: Browser, address: str) -> None:
    with opened_page(browser) as page:
        page.goto(f"{address}/search?q=cat")
        label = page.locator("a.tile .label").first
        expect(label).to_have_css("opacity", "0")
        page.locator("a.tile").first.hover()
        expect(label).to_have_css("opacity", "1")
        page.locator("a.tile").first.click()
        expect(page.locator(".facts")).to_be_hidden()
        page.mouse.wheel(0, 600)  # the picture stays in sight while the similar ones pass
        page.locator(".about summary").click()
        expect(page.locator(".facts")).to_be_in_viewport()
        expect(page.locator(".facts")).to_contain_text("pixels")


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
def test_search_by_a_picture(browser: Browser, address: str, way: str) -> None:
    picture = SAMPLES / "animals" / "beagle.png"
    with opened_page(browser) as page:
        page.goto(address)
        if way == "choose":
            page.set_input_files(".bar-file", picture)
        else:
            give(page, picture, way)
        expect(page).to_have_title("Pictures like yours – Kindred")
        assert names(page)[0] == "beagle.png"
        page.go_back()  # and nothing is sent again
        expect(page).to_have_title("Kindred")


def give(page: Page, picture: Path, way: str) -> None:
    """Drop a file on the page's middle, or paste it."""
    page.evaluate(
        """([bytes, way]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "a.png", {type: "image/png"}));
            const options = {bubbles: true, cancelable: true};
            const event = way === "drop"
                ? new DragEvent("drop", {...options, dataTransfer: transfer})
                : new ClipboardEvent("paste", {...options, clipboardData: transfer});
            document.querySelector("main").dispatchEvent(event);
        }""",
        [list(picture.read_bytes()), way],
    )


def test_everything_works_without_scripts(browser: Browser, address: str) -> None:
    with opened_page(browser, script=False) as page:
        page.goto(address)
        page.fill("#q", "dog")
        page.press("#q", "Enter")
        expect(page).to_have_title("dog – Kindred")
        page.locator("a.tile").first.click()
        expect(page.locator(".stage-image")).to_be_visible()
        expect(page.locator(".bar-send")).to_be_hidden()
        page.set_input_files(".bar-file", SAMPLES / "animals" / "beagle.png")
        page.locator(".bar-send").click()
        expect(page).to_have_title("Pictures like yours – Kindred")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_filters_and_chips(browser: Browser, address: str, script: bool) -> None:
    with opened_page(browser, script=script) as page:
        page.goto(f"{address}/search?q=dog+-+cat")
        expect(page.locator(".filters")).to_be_hidden()
        page.locator(".bar-button", has_text="Filters").click()
        page.locator(".filters select[name=type]").select_option("gif")
        if not script:
            page.locator(".filter-apply").click()
        expect(page).to_have_title("dog - cat type:gif – Kindred")
        expect(page.locator(".filters select[name=type]")).to_have_value("gif")
        assert names(page)
        assert all(name.endswith(".gif") for name in names(page))
        page.fill("input[name=taken_after]", "1999")
        page.press("input[name=taken_after]", "Enter")
        expect(page).to_have_title("dog - cat after:1999 type:gif – Kindred")
        chip = page.locator(".chip", has_text="cat")
        expect(chip.locator(".chip-text")).to_have_css("text-decoration-line", "line-through")
        chip.locator(".chip-what").click()
        expect(page).to_have_title("dog + cat after:1999 type:gif – Kindred")
        page.locator(".chip-away").click()
        expect(page).to_have_title("dog after:1999 type:gif – Kindred")
        expect(page.locator(".chip")).to_have_count(0)


def test_the_keyboard_reaches_the_pictures(browser: Browser, address: str) -> None:
    with opened_page(browser) as page:
        page.goto(f"{address}/search?q=dog")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="On the map")).to_be_focused()
        page.keyboard.press("Tab")
        tile = page.locator("a.tile").first
        expect(tile).to_be_focused()
        assert tile.evaluate("tile => getComputedStyle(tile).outlineStyle") == "solid"
        first = names(page)[0]
        page.keyboard.press("Enter")
        expect(page).to_have_title(f"{first} – Kindred")


LAYOUT_SHIFT = """() => new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) sum += entry.value;
    }).observe({type: "layout-shift", buffered: true});
    setTimeout(() => resolve(sum), 100);
})"""


def test_an_empty_library_and_an_error_have_pages(browser: Browser, tmp_path: Path) -> None:
    with (
        program("--data", str(tmp_path)) as (_, address),
        opened_page(browser) as page,
    ):
        page.goto(address)
        expect(page.locator("h1")).to_have_text("Choose a folder of pictures")
        keep(page, "empty-1280-light")
        page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
