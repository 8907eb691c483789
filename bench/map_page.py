"""The map's page in a browser: what is sent, when there is something to see, and how it moves."""

from __future__ import annotations

import shutil
import statistics
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from filelock import FileLock
from playwright.sync_api import Browser, Page, sync_playwright

from bench import large
from bench.clusters import NOISE, around, centres
from bench.site import free_port, served, wait_until_up
from bench.table import table
from library import spaces
from library.database import Database
from library.index_files import IndexFiles
from library.map_points import SIDE
from library.settings import load_settings
from mlx_clip import load_encoder
from tests.chromium import MISSING, find_chromium
from tests.map_fixtures import put_map

_COUNTS = (10_000, 50_000, 200_000)
_CLUSTERS = 64
_REPEATS = 5
_MOVES = 90
_SOFTWARE = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")

_FRAMES = """() => {
    window.frames_ = [];
    let last = 0;
    const frame = (now) => {
        if (last) frames_.push(now - last);
        last = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""


def map_page_section(work: Path) -> str:
    """Look at maps of made-up libraries. Raises RuntimeError where there is no Chromium."""
    path = find_chromium()
    if path is None:
        raise RuntimeError(MISSING)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=_SOFTWARE)
        version = browser.version
        rows = [_row(browser, work, count) for count in _COUNTS]
        browser.close()
    head = ("points", "sent", "a point", "first seen", "slowest", "a frame", "99th", "longest")
    return (
        "## The map's page\n\n"
        f"Chromium {version}, headless, 1280 x 800, over loopback. WebGL by SwiftShader, on the\n"
        "processor: no graphics card was tried. Sent: the points, compressed. First seen: the\n"
        f"first frame with all points, median of {_REPEATS} visits with nothing kept from before.\n"
        "A frame: the time between two while the map is dragged to and fro with a mouse.\n\n"
        f"{table(head, rows)}\n"
    )


def _row(browser: Browser, work: Path, count: int) -> list[str]:
    data, number = _library(work, count)
    port = free_port()
    # Whoever holds the index keeps the site from building it meanwhile: no map needs it.
    with FileLock(IndexFiles(data).lock), served(data, port):
        wait_until_up(port)
        url = f"http://127.0.0.1:{port}/maps/{number}"
        sent = _sent(f"http://127.0.0.1:{port}/api/v1/maps/{number}/points")
        seen = [_first_seen(browser, url) for _ in range(_REPEATS)]
        frames = sorted(_dragged(browser, url))
    shutil.rmtree(data)
    return [
        f"{count:,}",
        f"{sent / 1000:.0f} kB",
        f"{sent / count:.1f} bytes",
        f"{statistics.median(seen):.0f} ms",
        f"{max(seen):.0f} ms",
        *(f"{one:.0f} ms" for one in _figures(frames)),
    ]


def _figures(frames: Sequence[float]) -> tuple[float, float, float]:
    return statistics.median(frames), frames[len(frames) * 99 // 100], frames[-1]


def _library(work: Path, count: int) -> tuple[Path, int]:
    """A library of vectors in clusters, and a map of it: each cluster a cloud of points."""
    encoder = load_encoder("starter")
    data = work / "library-of-points"
    shutil.rmtree(data, ignore_errors=True)
    rng = np.random.default_rng(0)
    made = around(rng, centres(rng, count, encoder.dim), count, NOISE)
    settings = load_settings({"DATA_DIR": str(data)})
    large.build(settings.database_path, count, encoder.dim, key=encoder.space, matrix=made)
    with closing(Database(settings.database_path)) as database:
        large.link_thumbnails(database, settings.thumbnail_dir)
        (space,) = spaces.spaces(database.connection)
        rows = database.connection.execute(
            "SELECT image_id FROM vectors WHERE space_id = ? ORDER BY id", (space.id,)
        ).fetchall()
        ids = [int(row[0]) for row in rows]
        labels = rng.integers(0, _CLUSTERS, len(ids))
        middles = rng.uniform(0.1, 0.9, (_CLUSTERS, 2))
        spread = middles[labels] + rng.normal(0, 0.03, (len(ids), 2))
        x, y = (np.clip(spread.T, 0, 1) * SIDE).astype(np.int32)
        return data, put_map(database, space, ids, labels.tolist(), made[: len(ids)], places=(x, y))


def _sent(url: str) -> int:
    asked = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return len(answer.read())


def _opened(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(url)
    page.locator(".map[data-drawn]").wait_for(timeout=120_000)
    return page


def _first_seen(browser: Browser, url: str) -> float:
    page = _opened(browser, url)
    drawn = float(page.evaluate("document.querySelector('.map').dataset.drawn"))
    page.context.close()
    return drawn


def _dragged(browser: Browser, url: str) -> list[float]:
    page = _opened(browser, url)
    page.wait_for_timeout(2_000)
    page.evaluate(_FRAMES)
    box = page.locator(".map-frame").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(_MOVES):
        page.mouse.move(x + 150 * np.sin(step / 8), y + 80 * np.sin(step / 5))
        page.wait_for_timeout(16)
    frames: list[float] = page.evaluate("frames_")
    page.mouse.up()
    page.context.close()
    return frames
