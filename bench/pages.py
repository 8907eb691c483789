"""Pages in a browser, by its own clock: the largest paint, shifts, and what scrolling costs."""

from __future__ import annotations

import gzip
import shutil
import statistics
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, Response, sync_playwright

from bench import large
from bench.site import free_port, served, wait_until_current
from bench.table import table
from library.database import Database
from library.settings import load_settings
from mlx_clip import load_encoder
from tests.chromium import MISSING, find_chromium

PICTURES = 10_000
DEEP = 1_000
_REPEATS = 7
_PATIENCE = 40  # looks, 100 ms apart, for more pictures at the end of a page
_PAGES = {"home": "/", "results": "/search?q=dog", "a picture": "/pictures/41"}

# What the browser saw, kept from the first byte on: largest paint (ms), shifts, frames (ms), and
# the pictures that were in the page at any time.
_WATCH = """
window.seen = {largest: 0, shift: 0, frames: [], pictures: new Set()};
const watch = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take))
    .observe({type, buffered: true});
watch("largest-contentful-paint", (entry) => (seen.largest = entry.startTime));
watch("layout-shift", (entry) => entry.hadRecentInput || (seen.shift += entry.value));
const count = () => document.querySelectorAll("a.tile[data-picture]")
    .forEach((tile) => seen.pictures.add(tile.dataset.picture));
new MutationObserver(count).observe(document, {childList: true, subtree: true});
let last = 0;
const frame = (now) => {
    if (last) seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""
_FIGURES = """() => [
    seen.largest, seen.shift, document.querySelectorAll("*").length,
    performance.getEntriesByType("navigation")[0].decodedBodySize
]"""


@dataclass(slots=True)
class Scroll:
    """A way down: how many pictures passed, by what, and what it took."""

    pictures: int = 0
    nodes: int = 0
    shift: float = 0.0
    loaded: int = 0
    """Pages that came while scrolling, and ..."""
    clicked: int = 0
    """... pages that had to be asked for by a link."""
    frames: list[float] = field(default_factory=list)


def pages_section(work: Path, pictures: int = PICTURES, deep: int = DEEP) -> str:
    """Look at a large library with a Chromium. Raises RuntimeError where there is none."""
    path = find_chromium()
    if path is None:
        raise RuntimeError(MISSING)
    data, port = _library(work, pictures), free_port()
    address = f"http://127.0.0.1:{port}"
    with served(data, port), sync_playwright() as play:
        wait_until_current(port, 600)
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        version = browser.version
        rows = [_row(browser, name, address + url) for name, url in _PAGES.items()]
        scripts = _scripts(browser, address)
        way = _scrolled(browser, f"{address}/search?q=dog", deep)
        browser.close()
    shutil.rmtree(data)
    head = ("page", "largest paint", "slowest", "layout shift", "HTML", "elements")
    return (
        "## Pages\n\n"
        f"Chromium {version}, headless, 1280 x 800, a library of {pictures:,} pictures over\n"
        f"loopback; each page {_REPEATS} times, nothing kept from before. Largest paint (LCP)\n"
        "and layout shift (CLS) are the browser's own figures. All scripts of a page together,\n"
        f"gzipped: {scripts / 1000:.1f} kB.\n\n"
        f"{table(head, rows)}\n\n"
        f"{_told(way)}\n"
    )


def _library(work: Path, pictures: int) -> Path:
    encoder = load_encoder("starter")
    data = work / "library-of-pages"
    shutil.rmtree(data, ignore_errors=True)
    settings = load_settings({"DATA_DIR": str(data)})
    path = settings.database_path
    large.build(path, pictures, encoder.dim, key=encoder.space)
    with closing(Database(path)) as database:
        large.link_thumbnails(database, settings.thumbnail_dir)
    return data


def _row(browser: Browser, name: str, url: str) -> list[str]:
    looks = [_figures(browser, url) for _ in range(_REPEATS)]
    largest, shifts, nodes, sizes = zip(*looks, strict=True)
    return [
        name,
        f"{statistics.median(largest):.0f} ms",
        f"{max(largest):.0f} ms",
        f"{max(shifts):.3f}",
        f"{max(sizes) / 1000:.1f} kB",
        f"{max(nodes):,}",
    ]


def _figures(browser: Browser, url: str) -> tuple[float, float, int, int]:
    with _opened(browser) as page:
        answer = page.goto(url)
        if answer is None or not answer.ok:
            raise RuntimeError(f"{url} has no page")
        page.wait_for_timeout(500)
        largest, shift, nodes, size = page.evaluate(_FIGURES)
        return largest, shift, nodes, size


@contextmanager
def _opened(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(_WATCH)
    yield page
    context.close()


def _scripts(browser: Browser, address: str) -> int:
    """Bytes of all scripts that a page loads, each gzipped by itself as a server would."""
    sizes: dict[str, int] = {}

    def weigh(response: Response) -> None:
        if response.request.resource_type == "script" and response.ok:
            sizes[response.url] = len(gzip.compress(response.body()))

    with _opened(browser) as page:
        page.on("response", weigh)
        page.goto(f"{address}/search?q=dog", wait_until="networkidle")
    return sum(sizes.values())


def _scrolled(browser: Browser, url: str, deep: int) -> Scroll:
    """Scroll down, and on to the next page where the end does not load more."""
    way = Scroll()
    with _opened(browser) as page:
        page.goto(url)
        while not _to_the_end(page, way, deep):
            following = page.locator("a[rel=next]").last
            if not following.count():
                break
            with page.expect_navigation():
                following.click()
            way.clicked += 1
    return way


def _to_the_end(page: Page, way: Scroll, deep: int) -> bool:
    """Scroll one page as far as it goes; whether that was deep enough."""
    before, waited, known = way.pictures, 0, page.evaluate("seen.pictures.size")
    page.evaluate("seen.frames.length = 0")
    while before + known < deep and waited < _PATIENCE:
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(100)
        now = page.evaluate("seen.pictures.size")
        at_end = page.evaluate("scrollY + innerHeight >= document.body.scrollHeight - 2")
        way.loaded += now > known
        waited = waited + 1 if at_end and now == known else 0
        known = now
        if at_end and not page.locator("a[rel=next]").count():
            break
    _, shift, nodes, _ = page.evaluate(_FIGURES)
    way.pictures, way.nodes = before + known, max(way.nodes, nodes)
    way.shift = max(way.shift, shift)
    way.frames += page.evaluate("seen.frames")
    return way.pictures >= deep


def _told(way: Scroll) -> str:
    frames = sorted(way.frames)
    by = f"{way.loaded} pages came while scrolling, {way.clicked} by the link to the next"
    return (
        f"Results scrolled {way.pictures:,} pictures deep ({by}):\n"
        f"at most {way.nodes:,} elements in the page, layout shift {way.shift:.3f}, a frame every\n"
        f"{statistics.median(frames):.0f} ms (median), {frames[len(frames) * 99 // 100]:.0f} ms "
        f"(99th percentile), {frames[-1]:.0f} ms (the longest)."
    )
