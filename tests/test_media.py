"""The bytes of pictures."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from PIL import Image

from library import images
from library.thumbnails import Thumbnails
from mlx_clip import Encoder
from tests.pictures import drawing
from tests.web_fixtures import (
    Library,
    client,
    crawl_folder,
    opened,
    own_library,
)
from web import site

__all__ = ["client", "own_library"]


@pytest.fixture
def own_client(own_library: Library) -> Iterator[FlaskClient]:
    with opened(own_library.settings) as app:
        yield app.test_client()


def content_hash(client: FlaskClient, image_id: int) -> bytes:
    found = images.content_hash(site.of(client.application).database.connection, image_id)
    assert found is not None
    return found


def test_a_thumbnail_is_the_cached_one_and_is_kept(client: FlaskClient) -> None:
    answer = client.get("/pictures/3/thumb")
    tag = content_hash(client, 3)
    thumbnails = site.of(client.application).thumbnails
    assert answer.data == thumbnails.path(tag).read_bytes()
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["ETag"] == f'"{tag.hex()}"'
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"


def test_a_thumbnail_that_a_browser_has_is_not_sent_again(client: FlaskClient) -> None:
    tag = client.get("/pictures/3/thumb").headers["ETag"]
    again = client.get("/pictures/3/thumb", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/pictures/4/thumb", headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_a_thumbnail_at_half_its_size(client: FlaskClient) -> None:
    whole = Image.open(io.BytesIO(client.get("/pictures/3/thumb").data))
    answer = client.get("/pictures/3/thumb?size=256")
    small = Image.open(io.BytesIO(answer.data))
    assert max(small.size) == min(256, max(whole.size))  # drawings may be small themselves
    assert small.width / small.height == pytest.approx(whole.width / whole.height, rel=0.02)
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["ETag"] != client.get("/pictures/3/thumb").headers["ETag"]
    assert client.get("/pictures/3/thumb?size=9999").data == client.get("/pictures/3/thumb").data


def test_a_damaged_thumbnail_is_no_error_at_half_its_size(
    own_client: FlaskClient, own_library: Library
) -> None:
    path = Thumbnails(own_library.settings.thumbnail_dir).path(content_hash(own_client, 1))
    path.write_bytes(path.read_bytes()[:300])
    assert own_client.get("/pictures/1/thumb?size=256").data == path.read_bytes()


def test_large_photos_have_a_preview_for_most_windows(
    own_library: Library, encoder: Encoder
) -> None:
    drawing(7, (3000, 1500)).save(own_library.photos / "large.jpg")
    crawl_folder(own_library.settings, encoder, own_library.photos)
    large = own_library.ids()["large.jpg"]
    with opened(own_library.settings) as app:
        client = app.test_client()
        page = client.get(f"/pictures/{large}").get_data(as_text=True)
        found = re.search(r'srcset="(\S+) 2048w, (\S+) 3000w"', page)
        assert found
        preview = Image.open(io.BytesIO(client.get(found[1].replace("&amp;", "&")).data))
        assert preview.size == (2048, 1024)
        assert found[2] == f"/pictures/{large}/file"
        assert "2048w" not in client.get("/pictures/1").get_data(as_text=True)


def test_a_lost_thumbnail_is_made_again(own_client: FlaskClient, own_library: Library) -> None:
    path = Thumbnails(own_library.settings.thumbnail_dir).path(content_hash(own_client, 1))
    before = path.read_bytes()
    path.unlink()
    assert own_client.get("/pictures/1/thumb").data == before
    assert path.read_bytes() == before


def test_a_lost_thumbnail_without_an_original_is_not_found(
    own_client: FlaskClient, own_library: Library
) -> None:
    image_id = own_library.ids()["0000.jpg"]
    Thumbnails(own_library.settings.thumbnail_dir).path(content_hash(own_client, image_id)).unlink()
    (own_library.photos / "0000.jpg").unlink()
    assert own_client.get(f"/pictures/{image_id}/thumb").status_code == 404


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("bear.png", "image/png"), ("camels.webp", "image/webp"), ("crab.heic", "image/heif")],
)
def test_the_original_is_served_as_it_is(
    client: FlaskClient, shared_library: Library, name: str, media_type: str
) -> None:
    image_id = shared_library.ids()[name]
    with client.get(f"/pictures/{image_id}/file") as answer:
        assert answer.data == (shared_library.photos / "animals" / name).read_bytes()
        assert answer.mimetype == media_type
        assert answer.headers["ETag"] == f'"{content_hash(client, image_id).hex()}"'
        assert name in answer.headers["Content-Disposition"]


def test_a_part_of_the_original(client: FlaskClient, shared_library: Library) -> None:
    image_id = shared_library.ids()["bear.png"]
    content = (shared_library.photos / "animals" / "bear.png").read_bytes()
    headers = {"Range": "bytes=10-19"}
    with client.get(f"/pictures/{image_id}/file", headers=headers) as answer:
        assert (answer.status_code, answer.data) == (206, content[10:20])
        tag = answer.headers["ETag"]
    with client.get(f"/pictures/{image_id}/file", headers={"If-None-Match": tag}) as answer:
        assert (answer.status_code, answer.data) == (304, b"")


def test_the_media_type_comes_from_the_content(own_library: Library, encoder: Encoder) -> None:
    Image.new("RGB", (40, 40), "teal").save(own_library.photos / "page.html.jpg", "PNG")
    crawl_folder(own_library.settings, encoder, own_library.photos)
    image_id = own_library.ids()["page.html.jpg"]
    with (
        opened(own_library.settings) as app,
        app.test_client().get(f"/pictures/{image_id}/file") as answer,
    ):
        assert answer.mimetype == "image/png"


def test_names_that_are_not_text(own_library: Library, encoder: Encoder) -> None:
    odd = os.path.join(os.fsencode(own_library.photos), b'\xff "a\n\xed\x95\x9c.png')
    try:
        Image.new("RGB", (50, 40), "olive").save(open_for_writing := io.BytesIO(), "PNG")
        with open(odd, "wb") as stream:
            stream.write(open_for_writing.getvalue())
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    crawl_folder(own_library.settings, encoder, own_library.photos)
    image_id = next(i for name, i in own_library.ids().items() if os.fsencode(name) in odd)
    with opened(own_library.settings) as app:
        client = app.test_client()
        page = client.get(f"/pictures/{image_id}").get_data(as_text=True)
        assert "\ufffd &#34;a" in page
        assert "\ufffd" in client.get(f"/api/v1/pictures/{image_id}").json["files"][0]["path"]  # type: ignore[index]
        with client.get(f"/pictures/{image_id}/file") as answer:
            assert answer.status_code == 200
            assert quote("한") in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("change", ["gone", "grown", "touched", "folder", "outside"])
def test_only_what_was_read_is_served(
    own_client: FlaskClient, own_library: Library, change: str
) -> None:
    image_id = own_library.ids()["0000.jpg"]
    path = own_library.photos / "0000.jpg"
    info = path.stat()
    if change == "grown":
        path.write_bytes(path.read_bytes() + b"more")
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    elif change == "touched":
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns + 1))
    elif change == "outside":
        database = site.of(own_client.application).database
        with database.transaction() as connection:
            connection.execute("UPDATE roots SET path = ?", (b"/somewhere/else",))
    else:
        path.unlink()
        if change == "folder":
            path.mkdir()
    answer = own_client.get(f"/pictures/{image_id}/file")
    assert answer.status_code == 404
    assert b"crawl its folder again" in answer.data
    page = own_client.get(f"/pictures/{image_id}")
    assert page.status_code == 200
    assert b"changed since the last crawl" in page.data
    assert own_client.get(f"/pictures/{image_id}/thumb").status_code == 200


def test_another_file_of_the_same_picture_stands_in(own_library: Library, encoder: Encoder) -> None:
    copy = own_library.photos / "copy" / "second.jpg"
    copy.parent.mkdir()
    copy.write_bytes((own_library.photos / "0000.jpg").read_bytes())
    crawl_folder(own_library.settings, encoder, own_library.photos)
    image_id = own_library.ids()["0000.jpg"]
    (own_library.photos / "0000.jpg").unlink()
    with (
        opened(own_library.settings) as app,
        app.test_client().get(f"/pictures/{image_id}/file") as answer,
    ):
        assert answer.data == copy.read_bytes()


def test_a_preview_of_what_browsers_do_not_show(
    client: FlaskClient, shared_library: Library
) -> None:
    image_id = shared_library.ids()["crab.heic"]
    answer = client.get(f"/pictures/{image_id}/preview")
    with Image.open(io.BytesIO(answer.data)) as preview:
        assert preview.format == "JPEG"
        assert max(preview.size) <= 2048
    assert f"/pictures/{image_id}/preview".encode() in client.get(f"/pictures/{image_id}").data
    headers = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(f"/pictures/{image_id}/preview", headers=headers).status_code == 304


@pytest.mark.parametrize("what", ["", "/thumb", "/file", "/preview"])
@pytest.mark.parametrize("number", ["0", "999999", "9223372036854775807", "9" * 40])
def test_unknown_pictures(client: FlaskClient, number: str, what: str) -> None:
    assert client.get(f"/pictures/{number}{what}").status_code == 404


def test_style_sheet_and_scripts_are_kept_until_they_change(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    found = re.search(r'href="(/static/app\.css\?v=[0-9a-f]+)"', page)
    assert found
    with client.get(found[1]) as answer:
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    with client.get("/static/app.css") as answer:
        assert "immutable" not in answer.headers["Cache-Control"]
