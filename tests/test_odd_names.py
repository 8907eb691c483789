"""Names that file systems allow and nobody expects, from the scan to the page."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import markupsafe
import pytest

from library.models import display_path
from library.settings import load_settings
from mlx_clip import Encoder
from tests.pictures import drawing
from tests.web_fixtures import crawl_folder, opened, served
from web import site
from web.shown import shown

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")

NAMES = [
    b"\xff\xfe not UTF-8.jpg",
    b"half a letter \xc3.jpg",
    b"new\nline.jpg",
    b"return\r and tab\t.jpg",
    b"'single' \"double\" `back` $HOME $(true) ; & |.jpg",
    b"<script>alert(1)<script>.jpg",
    b"-rf.jpg",
    b"--exclude=x.jpg",
    b"~.jpg",
    b" spaces at both ends .jpg",
    b"back\\slash\\.jpg",
    b"%2e%2e%2f%00?x=1#y.jpg",
    b"[a-z]*?.jpg",
    b"{{ 7 * 7 }}.jpg",
    "e\u0301 in NFD.jpg".encode(),
    "\u00e9 in NFD.jpg".encode(),  # its twin in NFC
    "\u202egpj.bidi\u2066.jpg".encode(),
    b"control \x01\x1b[31m\x7f.jpg",
    "separator\u2028 and \U0001f600.jpg".encode(),
    "\u00c4".encode() * 125 + b"n.jpg",
    b"n" * 251 + b".JPG",
]
FOLDER = b"-folder \xff\n'\"<b> \xe2\x80\xae"


@dataclass(frozen=True)
class Served:
    """A site, the picture's number by each file, and what the files hold."""

    address: str
    ids: dict[bytes, int]
    contents: dict[bytes, bytes]

    def get(self, path: str) -> tuple[bytes, dict[str, str]]:
        with urllib.request.urlopen(f"{self.address}{path}", timeout=30) as answer:
            return answer.read(), dict(answer.headers)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Served]:
    base = tmp_path_factory.mktemp("odd")
    photos = os.fsencode(base / "photos")
    os.makedirs(os.path.join(photos, FOLDER))
    paths = [os.path.join(photos, name) for name in [*NAMES, os.path.join(FOLDER, NAMES[0])]]
    contents = {}
    for number, path in enumerate(paths):
        with open(path, "w+b") as out:
            drawing(number).save(out, "JPEG")
            out.seek(0)
            contents[path] = out.read()
    settings = load_settings({"DATA_DIR": str(base / "data"), "CLIP_MODEL": "starter"})
    crawl_folder(settings, encoder, base / "photos")
    with opened(settings) as app, served(app) as address:
        rows = site.of(app).database.connection.execute("SELECT path, image_id FROM files")
        yield Served(address, dict(rows.fetchall()), contents)


def test_every_file_is_a_picture_of_its_own(odd: Served) -> None:
    assert odd.ids.keys() == odd.contents.keys()
    assert len(set(odd.ids.values())) == len(odd.contents)


def test_the_page_shows_the_name_and_nothing_more(odd: Served) -> None:
    for path, image_id in odd.ids.items():
        page = odd.get(f"/pictures/{image_id}")[0].decode("utf-8")
        name = display_path(os.path.basename(path))
        assert f">{markupsafe.escape(shown(name))}</h1>" in page, path
        whole = os.fsencode(display_path(path)) == path  # what is no text cannot be copied as such
        assert page.count("data-copy=") == whole
        assert f'data-copy="{markupsafe.escape(display_path(path))}"' in page or not whole
        assert "<script>alert" not in page


def test_thumbnail_and_original_are_the_files_own(odd: Served) -> None:
    for path, image_id in odd.ids.items():
        original, headers = odd.get(f"/pictures/{image_id}/file")
        assert original == odd.contents[path]
        thumbnail, _ = odd.get(f"/pictures/{image_id}/thumb")
        assert thumbnail[:3] in (b"\xff\xd8\xff", b"RIF")
        assert "\n" not in headers["Content-Disposition"]


def test_a_download_has_the_files_name(odd: Served) -> None:
    for path, image_id in odd.ids.items():
        _, headers = odd.get(f"/pictures/{image_id}/file?download=1")
        disposition = headers["Content-Disposition"]
        assert disposition.startswith("attachment; filename")
        name = unquote(disposition.partition("filename*=UTF-8''")[2])
        expected = display_path(os.path.basename(path))
        if name:
            assert name == "".join(c if c.isprintable() else "_" for c in expected)
        else:
            assert "filename=" in disposition


def test_the_api_names_every_file(odd: Served) -> None:
    for path, image_id in odd.ids.items():
        answer = json.loads(odd.get(f"/api/v1/pictures/{image_id}")[0])
        assert [file["path"] for file in answer["files"]] == [display_path(path)]
    similar = json.loads(odd.get(f"/api/v1/pictures/{min(odd.ids.values())}/similar")[0])
    shown = {hit["path"] for hit in similar["hits"]}
    assert shown <= {display_path(path) for path in odd.ids}
    assert len(shown) > 15


def test_the_folder_lists_its_pictures(odd: Served) -> None:
    image_id = next(i for path, i in odd.ids.items() if os.path.dirname(path).endswith(FOLDER))
    page = odd.get(f"/pictures/{image_id}")[0].decode("utf-8")
    link = page.split('href="/folders/')[1].split('"')[0]
    folder = odd.get(f"/folders/{link}")[0].decode("utf-8")
    assert f"/pictures/{image_id}" in folder
    assert str(markupsafe.escape(shown(display_path(FOLDER)))) in folder
