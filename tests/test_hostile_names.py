"""Names and EXIF texts that would be scripts, or read backwards, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.sync_api import Browser, Dialog, Page

from mlx_clip import Encoder
from tests.pictures import drawing
from tests.test_browser import browser, opened_page
from tests.web_fixtures import crawl_folder, opened, served, settings_of
from web import site
from web.shown import shown

__all__ = ["browser"]

pytestmark = pytest.mark.browser

# The scripts say that they ran by what the page has afterwards.
RAN = "document.documentElement.dataset.ran = '1'"
NAMES = [
    f'<img src=x onerror="{RAN}">.jpg',
    f"<script>{RAN}<script>.jpg",
    f"\"'><svg onload={RAN}>.jpg",
    f"' onmouseover='{RAN}' x='.jpg",
    "javascript:alert(1).jpg",
    "{{ 7*7 }}{% raw %}${7*7}.jpg",
    "]]><!--.jpg",
    "new\nline\t&amp;&lt;b&gt;.jpg",
    "holiday\u202egpj.exe.jpg",
    "a\u2067b\u2069c\u200f.jpg",
    "n" * 251 + ".jpg",
]
FOLDER = "<b onclick=alert(1)>\u202e folder"
CAMERA = f"<script>{RAN};alert(1)</script>\u202ecamera"
TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_INJECTED = """() => document.querySelectorAll(
    'img[src="x"], svg[onload], [onerror], [onclick], [onmouseover], [onload]'
).length + document.querySelectorAll('main b').length"""


@dataclass(frozen=True)
class Hostile:
    """The site's address, and the numbers of its pictures."""

    address: str
    ids: list[int]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Hostile]:
    base = tmp_path_factory.mktemp("hostile")
    photos = base / "photos" / FOLDER
    photos.mkdir(parents=True)
    exif = Image.Exif()
    exif.update({271: CAMERA, 272: CAMERA, 270: CAMERA, 306: f"2020:01:01 <b>{RAN}"})
    for number, name in enumerate(NAMES):
        drawing(number).save(photos / name, exif=exif)
        _damaged(photos / f"{number} {name[:150]}")
    drawing(0).resize((400, 300)).save(photos / f"again {NAMES[0]}", exif=exif)
    settings = settings_of(base / "data", "24")
    crawl_folder(settings, encoder, base / "photos")
    with opened(settings) as app, served(app) as address:
        site.of(app).duplicates.start()
        rows = site.of(app).database.connection.execute("SELECT id FROM images")
        yield Hostile(address, [number for (number,) in rows])


def _damaged(path: Path) -> None:
    path.write_bytes(b"\xff\xd8\xff <script>no picture</script>")


def pages(hostile: Hostile) -> Iterator[str]:
    yield from ("/", "/duplicates", "/library", "/library/failures", "/crawls/1", "/folders/choose")
    yield from (f"/pictures/{number}" for number in hostile.ids)
    yield from (f"/folders/{number}" for number in (1, 2))
    yield f"/search?q=dog&more={hostile.ids[0]}"
    for text in (*NAMES[:4], NAMES[8], CAMERA):
        part = text.replace('"', '""')
        for asked in (f'name:"{part}"', f'camera:"{part}"', text):
            yield f"/search?q={quote(asked)}"
        yield f"/suggest?q={quote(text[:6])}"
    yield f"/folders/choose?folder={quote(FOLDER)}"


def test_no_name_is_a_script_and_none_reads_backwards(browser: Browser, hostile: Hostile) -> None:
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    with opened_page(browser, forgiven=("Failed to load resource",)) as page:
        page.on("dialog", dismiss)
        page.goto(f"{hostile.address}/duplicates")
        while page.get_by_text("Looking for duplicates").count():
            page.reload()
        for path in pages(hostile):
            page.goto(hostile.address + path)
            _look_at(page, path)
    assert dialogs == []


def _look_at(page: Page, path: str) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.evaluate("document.documentElement.dataset.ran") is None, path
    assert page.evaluate(_INJECTED) == 0, path
    seen = page.title() + page.inner_text("body")
    if "/search" not in path:  # there stands what was typed
        assert not set(TURNING) & set(seen), path


def test_suggestions_are_texts(browser: Browser, hostile: Hostile) -> None:
    with opened_page(browser) as page:
        page.goto(hostile.address)
        page.keyboard.press("/")
        page.keyboard.type("camera:<sc")
        option = page.locator("#suggestions [role=option]").first
        option.wait_for()
        assert shown(CAMERA)[:8] in option.inner_text()
        assert page.evaluate(_INJECTED) == 0
        option.click()
        page.keyboard.press("Enter")
        page.wait_for_url("**/search**")
        _look_at(page, "/search")


def test_a_name_that_reads_backwards_is_shown_as_it_is() -> None:
    assert shown("holiday\u202egpj.exe") == "holiday\ufffdgpj.exe"
    assert shown("שלום.jpg") == "שלום.jpg"
