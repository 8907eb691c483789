"""RAW photos, JPEG XL and videos on the site."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pillow_jxl  # noqa: F401  # lets Pillow write it
import pytest
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Browser, expect

from library.thumbnails import Thumbnails
from mlx_clip import Encoder
from tests.pictures import drawing
from tests.raw_files import dng
from tests.test_browser import browser, opened_page
from tests.test_photos import difference, save
from tests.videos import video
from tests.web_fixtures import Library, crawl_folder, opened, served, settings_of

__all__ = ["browser"]

SIZE = (480, 300)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Library:
    base = tmp_path_factory.mktemp("extras")
    photos = base / "photos"
    photos.mkdir()
    (photos / "still.jpg").write_bytes(save(drawing(1, SIZE), "JPEG"))
    (photos / "raw.dng").write_bytes(dng(drawing(2, SIZE), drawing(2, SIZE)))
    (photos / "packed.jxl").write_bytes(save(drawing(3, SIZE), "JXL", effort=1))
    (photos / "clip.mov").write_bytes(video([drawing(4, SIZE)], "mov"))
    (photos / "clip.webm").write_bytes(video([drawing(5, SIZE)], "webm", "libvpx-vp9"))
    settings = settings_of(base / "data", "10")
    crawl_folder(settings, encoder, photos)
    return Library(settings, photos)


@pytest.fixture
def client(library: Library) -> Iterator[FlaskClient]:
    with opened(library.settings) as app:
        yield app.test_client()


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("raw.dng", "image/x-adobe-dng"),
        ("packed.jxl", "image/jxl"),
        ("clip.mov", "video/quicktime"),
    ],
)
def test_the_original_is_served_and_a_preview_is_shown(
    client: FlaskClient, library: Library, name: str, media_type: str
) -> None:
    image_id = library.ids()[name]
    with client.get(f"/pictures/{image_id}/file") as answer:
        assert answer.data == (library.photos / name).read_bytes()
        assert answer.mimetype == media_type
    with client.get(f"/pictures/{image_id}/file", headers={"Range": "bytes=5-9"}) as answer:
        assert (answer.status_code, answer.data) == (
            206,
            (library.photos / name).read_bytes()[5:10],
        )
    preview = client.get(f"/pictures/{image_id}/preview")
    seed = {"raw.dng": 2, "packed.jxl": 3, "clip.mov": 4}[name]
    with Image.open(io.BytesIO(preview.data)) as image:
        assert image.size == SIZE
        assert difference(image, drawing(seed, SIZE)) < 12
    assert f"/pictures/{image_id}/preview" in client.get(f"/pictures/{image_id}").text


def test_a_lost_thumbnail_of_a_video_is_made_again(client: FlaskClient, library: Library) -> None:
    image_id = library.ids()["clip.mov"]
    before = client.get(f"/pictures/{image_id}/thumb").data
    (kept,) = [
        path
        for path in Thumbnails(library.settings.thumbnail_dir).directory.rglob("*.jpg")
        if path.read_bytes() == before
    ]
    kept.unlink()
    assert client.get(f"/pictures/{image_id}/thumb").data == before


def test_a_video_is_played_and_a_photo_is_not(client: FlaskClient, library: Library) -> None:
    image_id = library.ids()["clip.mov"]
    page = client.get(f"/pictures/{image_id}")
    assert f'<video class="stage-image" src="/pictures/{image_id}/file"' in page.text
    assert "media-src 'self'" in page.headers["Content-Security-Policy"]
    assert "<video" not in client.get(f"/pictures/{library.ids()['raw.dng']}").text


@pytest.mark.browser
def test_a_browser_plays_it_as_it_lay(browser: Browser, library: Library) -> None:
    with (
        opened(library.settings) as app,
        served(app) as address,
        opened_page(browser) as page,
    ):
        page.goto(f"{address}/pictures/{library.ids()['clip.webm']}")
        shown = page.locator("video.stage-image")
        expect(shown).to_have_accessible_name("clip.webm")
        played = shown.evaluate(
            """async (video) => {
                video.muted = true;
                await video.play();
                return [video.videoWidth, video.videoHeight];
            }"""
        )
        assert tuple(played) == SIZE
        expect(page.locator("a.tile", has_text="Video")).to_have_count(1)


def test_a_video_that_has_gone_shows_its_thumbnail(library: Library, tmp_path: Path) -> None:
    path = library.photos / "clip.mov"
    away = path.rename(tmp_path / "clip.mov")
    try:
        with opened(library.settings) as app:
            page = app.test_client().get(f"/pictures/{library.ids()['clip.mov']}").text
    finally:
        away.rename(path)
    assert "<video" not in page
    assert "The original has gone" in page


def test_only_the_tiles_of_videos_are_marked(client: FlaskClient, library: Library) -> None:
    page = client.get("/").text
    tiles = page.split('id="random"')[0].split('<a class="tile')[1:]
    marked = {tile.split('alt="')[1].split('"')[0] for tile in tiles if ">Video</span>" in tile}
    assert marked == {"clip.mov", "clip.webm"}


def test_a_query_by_a_file_of_each_kind_finds_that_file(
    client: FlaskClient, library: Library
) -> None:
    for name in ("raw.dng", "packed.jxl", "clip.mov"):
        content = io.BytesIO((library.photos / name).read_bytes())
        answer = client.post("/api/v1/search", data={"image": (content, name)})
        assert answer.json is not None
        assert answer.json["hits"][0]["path"].endswith(name)


def test_the_upload_field_takes_what_can_be_read(client: FlaskClient) -> None:
    page = client.get("/").text
    accepted = page.split('accept="')[1].split('"')[0].split(",")
    assert accepted[0] == "image/*"
    assert {".cr3", ".jxl", ".mp4"} <= set(accepted)
