"""The map as one sees it: a canvas drawn by WebGL, and what is done to it."""

from __future__ import annotations

import io
import json
import math
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import parse_qs, urljoin, urlsplit
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from library import spaces, vectors
from library.database import Database
from library.map_points import SIDE
from tests.chromium import MISSING, find_chromium
from tests.map_fixtures import put_map
from tests.program import program
from tests.test_browser import ARGUMENTS, NARROW, WIDE, keep, opened_page
from tests.web_fixtures import Library

pytestmark = pytest.mark.browser

# Where there is no graphics card, Chromium draws by SwiftShader if it is told to.
SOFTWARE = (
    *(argument for argument in ARGUMENTS if argument != "--disable-gpu"),
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)


@pytest.fixture(scope="module")
def browsers() -> Iterator[tuple[Browser, Browser]]:
    """A browser with WebGL and one without."""
    path = find_chromium()
    if path is None:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        launch = playwright.chromium.launch
        able = launch(executable_path=path, args=SOFTWARE)
        unable = launch(executable_path=path, args=[*ARGUMENTS, "--disable-3d-apis"])
        yield able, unable
        able.close()
        unable.close()


@pytest.fixture(scope="module")
def address(shared_library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of a map of the samples: two clusters, left and right, on squares of points."""
    data = tmp_path_factory.mktemp("map") / "data"
    shutil.copytree(shared_library.settings.data_dir, data)
    with closing(Database(data / "library.sqlite")) as database:
        (space,) = spaces.spaces(database.connection)
        rows = vectors.after(database.connection, space, 0, 1_000)
        count = len(rows.ids)
        half = np.arange(count) // (count // 2 + 1)
        side = math.isqrt(count // 2) + 1
        place = np.arange(count) % (count // 2 + 1)
        x = (place % side / side * 0.3 + half * 0.6) * SIDE
        y = (place // side / side * 0.6 + 0.2) * SIDE
        ids = [int(one) for one in rows.image_ids]
        places = x.astype(np.int32), y.astype(np.int32)
        number = put_map(database, space, ids, half.tolist(), rows.vectors, places=places)
    with program("--data", str(data)) as (_, site):
        wait_for_the_line(site)
        yield f"{site}/maps/{number}"


def wait_for_the_line(site: str) -> None:
    """Until the site knows it, every answer to a search is a match."""
    while True:
        with urlopen(f"{site}/api/v1/search?q=dog&limit=1", timeout=30) as answer:
            if json.load(answer)["line"] is not None:
                return
        time.sleep(0.1)


@contextmanager
def opened_map(
    browsers: tuple[Browser, Browser], url: str, size: tuple[int, int] = WIDE, scheme: str = "light"
) -> Iterator[Page]:
    with opened_page(browsers[0], size, scheme, touch=size == NARROW) as page:
        page.goto(url)
        page.locator(".map[data-settled]").wait_for()
        yield page


def view(page: Page) -> list[float]:
    """Where the address says the map stands: x, y and zoom."""
    return [float(number) for number in urlsplit(page.url).fragment.split(",")]


def test_a_search_lights_up_and_a_link_keeps_the_view(
    browsers: tuple[Browser, Browser], address: str
) -> None:
    with opened_map(browsers, address) as page:
        expect(page.locator(".map-label:visible")).to_have_text(["label 0", "label 1"])
        keep(page, "map-1280-light")
        whole = view(page)
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_function(
            "(before) => location.hash !== before", arg=urlsplit(page.url).fragment
        )
        page.locator(".map-overlay").focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "(x) => Number(location.hash.slice(1).split(',')[0]) > x", arg=whole[0]
        )
        there = view(page)
        assert there[2] == pytest.approx(whole[2] + 1, abs=0.02)
        page.get_by_label("Light up on the map").fill("a dog")
        page.keyboard.press("Enter")
        expect(page.locator(".map-said")).to_contain_text("Lit: ", timeout=30_000)
        lit = page.locator(".map-said").inner_text()

        link = page.url
        page.goto("about:blank")
        page.goto(link)
        page.locator(".map[data-settled]").wait_for()
        assert view(page) == pytest.approx(there, abs=0.1)
        expect(page.locator(".map-said")).to_have_text(lit, timeout=30_000)
        page.get_by_role("button", name="The whole map").click()
        page.wait_for_function("(link) => location.href !== link", arg=link)
        assert view(page) == pytest.approx(whole, abs=0.1)


def test_results_lead_to_the_map_that_they_are_lit_on(
    browsers: tuple[Browser, Browser], address: str
) -> None:
    with opened_page(browsers[0]) as page:
        page.goto(f"{urljoin(address, '/search')}?q=a+dog")
        page.get_by_role("link", name="On the map").click()
        expect(page.get_by_label("Light up on the map")).to_have_value("a dog")
        expect(page.locator(".map-said")).to_contain_text("Lit: ", timeout=30_000)


def test_points_become_pictures_where_there_is_room(
    browsers: tuple[Browser, Browser], address: str
) -> None:
    with opened_map(browsers, address) as page:
        box = page.locator(".map-frame").bounding_box()
        assert box
        # Into the square on the left, wherever a label lies.
        page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5)
        for _ in range(4):
            page.mouse.wheel(0, -120)
        picture = page.locator(".map-picture").first
        expect(picture).to_be_visible(timeout=30_000)
        box = picture.bounding_box()
        assert box
        assert (box["width"], box["height"]) == (72, 72)
        # In one go: while the wheel's zoom still goes on, another may take its place.
        href = picture.evaluate("(link) => (link.click(), link.getAttribute('href'))")
        expect(page.locator(".stage")).to_be_visible()
        assert urlsplit(page.url).path == href


def test_a_point_shows_its_picture_and_leads_to_it(
    browsers: tuple[Browser, Browser], address: str
) -> None:
    with opened_map(browsers, address) as page:
        hover_on_a_point(page)
        card = page.locator(".map-hover img")
        shown = str(card.get_attribute("src"))
        page.mouse.down()
        page.mouse.up()
        expect(page.locator(".stage")).to_be_visible()
        assert shown.startswith(urlsplit(page.url).path)


def hover_on_a_point(page: Page) -> None:
    """Along a diagonal of the left square, until there is one."""
    box = page.locator(".map-frame").bounding_box()
    assert box
    card = page.locator(".map-hover img")
    for step in range(200):
        page.mouse.move(box["x"] + box["width"] * 0.1 + step, box["y"] + box["height"] / 4 + step)
        page.wait_for_timeout(30)
        if card.is_visible():
            return
    raise AssertionError("no point shows a picture")


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
def test_what_a_line_is_drawn_around_is_listed(
    browsers: tuple[Browser, Browser], address: str, size: tuple[int, int], scheme: str
) -> None:
    with opened_map(browsers, address, size, scheme) as page:
        select = page.get_by_role("button", name="Select by drawing a line around")
        select.click()
        expect(select).to_have_attribute("aria-pressed", "true")
        frame = page.locator(".map-frame").bounding_box()
        assert frame
        left, top, width, height = frame["x"], frame["y"], frame["width"], frame["height"]
        corners = [(0.01, 0.01), (0.5, 0.01), (0.5, 0.99), (0.01, 0.99)]
        page.mouse.move(left + width * 0.01, top + height * 0.5)
        page.mouse.down()
        for x, y in corners[::-1]:
            page.mouse.move(left + width * x, top + height * y, steps=4)
        page.mouse.up()
        expect(page.locator(".map-said")).to_contain_text("Selected: ", timeout=30_000)
        chosen = int(page.locator(".map-said").inner_text().split()[1])
        # The cluster on the left, whole and alone.
        listed = page.locator(".cluster .figures").first.inner_text()
        assert chosen == int(listed.split()[0])
        expect(page.locator(".map-strip li")).to_have_count(min(chosen, 60))
        keep(page, f"map-selected-{size[0]}-{scheme}")
        query = parse_qs(urlsplit(str(page.locator(".map-alike").get_attribute("href"))).query)
        assert query["q"][0].count("#") >= 6
        page.get_by_role("button", name="Clear the selection").click()
        expect(page.locator(".map-strip")).to_be_hidden()
        page.get_by_role("button", name="Zoom out").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_clusters_are_told_apart_by_colour_and_what_is_not_lit_fades(
    browsers: tuple[Browser, Browser], address: str
) -> None:
    with opened_map(browsers, address) as page:
        page.evaluate("document.querySelector('.map-overlay').style.opacity = 0")
        before = page.locator(".map-frame").screenshot()
        page.get_by_label("Light up on the map").fill("a dog")
        page.keyboard.press("Enter")
        expect(page.locator(".map-said")).to_contain_text("Lit: ", timeout=30_000)
        page.wait_for_timeout(300)
        after = page.locator(".map-frame").screenshot()
    whole, faded = colours(before), colours(after)
    assert len(whole) == 2
    assert any(faded.get(hue, 0) < count / 2 for hue, count in whole.items())


def test_another_theme_colours_the_points_anew(
    browsers: tuple[Browser, Browser], address: str
) -> None:
    with opened_map(browsers, address) as page:
        page.locator(".theme").get_by_role("button", name="Dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        switched = drawn(page)
        page.reload()
        page.locator(".map[data-settled]").wait_for()
        loaded = drawn(page)
    points = np.abs(loaded - loaded[0, 0]).max(axis=2) > 40
    assert points.any()
    # Their edges may have moved by a part of a pixel; in the other theme's colours it is 45.
    assert np.abs(switched - loaded)[points].mean() < 25


def drawn(page: Page) -> np.ndarray:
    """The pixels of the points, without what lies above them."""
    page.evaluate("document.querySelector('.map-overlay').style.opacity = 0")
    page.wait_for_timeout(300)
    png = page.locator(".map-frame").screenshot()
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(float)


def colours(png: bytes) -> dict[int, int]:
    """How many pixels there are of each hue (in twelfths of the circle), of those with any."""
    hsv = np.asarray(Image.open(io.BytesIO(png)).convert("RGB").convert("HSV")).reshape(-1, 3)
    coloured = hsv[hsv[:, 1] > 110]
    hues, counts = np.unique(coloured[:, 0].astype(int) * 12 // 256, return_counts=True)
    return dict(zip(hues.tolist(), counts.tolist(), strict=True))


def test_without_webgl_or_scripts_there_is_the_list(
    browsers: tuple[Browser, Browser], address: str
) -> None:
    for browser, script in ((browsers[1], True), (browsers[0], False)):
        with opened_page(browser, script=script) as page:
            page.goto(address)
            expect(page.get_by_role("link", name="label 0")).to_be_visible()
            if script:
                expect(page.locator(".map-said")).to_contain_text("no WebGL")
            else:
                expect(page.locator(".map")).to_be_hidden()
