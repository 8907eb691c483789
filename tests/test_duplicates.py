"""Duplicates in a crawled library: the groups, the page, the CSV, the JSON."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageEnhance

from library.database import Database
from library.models import Hit, Picture
from mlx_clip import Encoder
from search.duplicates import Duplicates, Group
from search.fold import Folded, fold
from tests.pictures import drawing
from tests.web_fixtures import (
    SAMPLES,
    Library,
    crawl_folder,
    empty_client,
    opened,
    own_library,
    settings_of,
    wait_until,
)
from web import site

__all__ = ["empty_client", "own_library"]

NOT_UTF8 = b"caf\xe9.jpg"
OLD = (1_400_000_000, 1_400_000_000)


def photo(name: str) -> Image.Image:
    with Image.open(SAMPLES / "animals" / name) as opened_file:
        rgb: Image.Image = opened_file.convert("RGB")
        return rgb


def variants(folder: Path) -> None:
    """Pictures with near duplicates of each kind, exact copies, odd names, and one of its own."""
    for name in ("albums", "backup", "phone"):
        (folder / name).mkdir(parents=True)
    alpaca, hens = photo("alpaca.jpg"), photo("hens.jpg")
    alpaca.save(folder / "albums" / "alpaca.jpg", quality=95)
    for place in ('backup/=1+2,"alpaca".jpg', "backup/alpaca\n2.jpg"):
        shutil.copy(folder / "albums" / "alpaca.jpg", folder / place)
    os.utime(folder / "backup/alpaca\n2.jpg", OLD)
    alpaca.save(folder / "phone" / "q40.jpg", quality=40)
    width, height = alpaca.size
    cut = (width // 100, height // 100, width - width // 100, height - height // 100)
    alpaca.crop(cut).save(folder / "phone" / "cut.jpg", quality=92)
    warm = ImageEnhance.Color(ImageEnhance.Brightness(hens).enhance(1.05)).enhance(1.15)
    hens.save(folder / "albums" / "hens.jpg", quality=97)
    warm.save(os.fsencode(folder / "phone") + b"/" + NOT_UTF8, "JPEG", quality=92)
    photo("bear.png").save(folder / "albums" / "bear.jpg", quality=90)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Library:
    base = tmp_path_factory.mktemp("duplicates")
    variants(base / "photos")
    settings = settings_of(base / "data", "24")
    crawl_folder(settings, encoder, base / "photos")
    return Library(settings, base / "photos")


@pytest.fixture
def app(library: Library) -> Iterator[Flask]:
    """The site, with the groups found."""
    with opened(library.settings) as app:
        site.of(app).duplicates.refresh()
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def found(app: Flask) -> tuple[Group, ...]:
    groups = site.of(app).duplicates.groups()
    assert groups is not None
    return groups


def text(client: FlaskClient, address: str = "/duplicates") -> str:
    return unescape(client.get(address).get_data(as_text=True).replace("<wbr>", ""))


def table(client: FlaskClient) -> list[dict[str, str]]:
    answer = client.get("/duplicates.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.get_data().decode(), newline="")))


def test_groups_hold_every_variant_and_nothing_else(app: Flask, library: Library) -> None:
    ids = library.ids()
    alpacas, hens = found(app)
    assert alpacas.keep == ids["alpaca.jpg"]
    assert set(alpacas.image_ids) == {ids["alpaca.jpg"], ids["q40.jpg"], ids["cut.jpg"]}
    assert alpacas.files == 5
    assert set(hens.image_ids) == {ids["hens.jpg"], ids[os.fsdecode(NOT_UTF8)]}
    assert alpacas.similarities[0] == 1 > alpacas.similarities[1] >= alpacas.similarities[2] > 0.8
    assert alpacas.bytes_to_free >= hens.bytes_to_free

    files = [path.stat().st_size for path in library.photos.rglob("*.jpg")]
    keep = (library.photos / "albums" / "alpaca.jpg").stat().st_size
    rest = sum(
        path.stat().st_size
        for path in library.photos.rglob("*")
        if path.name in ("hens.jpg", "bear.jpg", os.fsdecode(NOT_UTF8))
    )
    assert alpacas.bytes_to_free == sum(files) - keep - rest


def test_a_group_is_found_by_any_of_its_pictures(app: Flask, library: Library) -> None:
    group_of = site.of(app).duplicates.group_of
    ids = library.ids()
    assert group_of(ids["cut.jpg"]) is group_of(ids["alpaca.jpg"]) is found(app)[0]
    assert group_of(ids["bear.jpg"]) is None
    assert group_of(10**9) is None


def test_of_the_samples_only_the_copy_is_a_duplicate(shared_library: Library) -> None:
    """Some 250 pictures, among them many drawings and photos of one kind of animal or thing."""
    with opened(shared_library.settings) as app:
        site.of(app).duplicates.refresh()
        paths = [row["path"] for row in table(app.test_client())]
    assert sorted(os.path.basename(path) for path in paths) == ["cute.jpg", "kitten.jpg"]


def test_the_page_shows_what_to_keep_and_where_all_lie(
    client: FlaskClient, library: Library
) -> None:
    page = text(client)
    ids = library.ids()
    assert "2 groups" in page
    assert "3 pictures in 5 files" in page
    alpacas, hens = page.split('<section class="group">')[1:]
    assert re.findall(r'data-picture="(\d+)"', alpacas)[0] == str(ids["alpaca.jpg"])
    assert alpacas.count("<strong>Keep</strong>") == hens.count("<strong>Keep</strong>") == 1
    assert f'href="/pictures/{ids["cut.jpg"]}"' in alpacas
    width, height = photo("alpaca.jpg").size
    assert f"{width} × {height}, " in alpacas
    for path in (library.photos / "backup").iterdir():
        assert str(path) in alpacas
    assert "caf\ufffd.jpg" in hens
    assert "Duplicates</a>" in text(client, "/")


def test_a_further_page_and_one_behind_the_last(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.duplicates._GROUPS", 1)
    more = re.search(r'href="([^"]+)" rel="next"', text(client))
    assert more
    second = text(client, more[1])
    assert "caf\ufffd.jpg" in second
    assert "alpaca.jpg" not in second
    assert 'rel="next"' not in second
    assert "That was all of them" in text(client, "/duplicates?page=3")


def test_large_groups_are_cut_short(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.duplicates._SHOWN", 2)
    first = text(client).split('<section class="group">')[1]
    assert first.count("data-picture") == 2
    assert "and 1 more<" in first
    assert "and 1 more places" in first


def test_the_csv_names_every_file_and_one_to_keep(client: FlaskClient, library: Library) -> None:
    lines = table(client)
    assert list(lines[0]) == [
        *("group", "keep", "path", "bytes", "width", "height", "taken", "similarity", "path_hex")
    ]
    assert [line["group"] for line in lines] == ["1"] * 5 + ["2"] * 2
    kept = [line["path"] for line in lines if line["keep"] == "yes"]
    # Of copies the oldest file stays.
    assert kept == [
        str(library.photos / "backup" / "alpaca\n2.jpg"),
        str(library.photos / "albums" / "hens.jpg"),
    ]
    for line in lines:
        path = bytes.fromhex(line["path_hex"]) or os.fsencode(line["path"])
        assert os.stat(path).st_size == int(line["bytes"])
        with Image.open(io.BytesIO(Path(os.fsdecode(path)).read_bytes())) as image:
            assert image.size == (int(line["width"]), int(line["height"]))
        assert 0.8 < float(line["similarity"]) <= 1
    assert [line["path"] for line in lines if line["path_hex"]] == [
        str(library.photos / "phone" / "caf\ufffd.jpg")
    ]


def test_no_cell_is_a_formula(client: FlaskClient) -> None:
    cells = [cell for line in table(client) for cell in line.values()]
    assert any("/=1+2," in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_api_gives_the_groups_a_window_at_a_time(client: FlaskClient, library: Library) -> None:
    everything = client.get("/api/v1/duplicates").get_json()
    assert everything["state"] == "known"
    assert everything["total"] == len(everything["groups"]) == 2
    first = everything["groups"][0]
    assert first["keep"] == first["pictures"][0]["id"] == library.ids()["alpaca.jpg"]
    assert len(first["pictures"][0]["files"]) == 3
    assert everything["bytes_to_free"] == sum(g["bytes_to_free"] for g in everything["groups"])
    (second,) = client.get("/api/v1/duplicates?limit=1&offset=1").get_json()["groups"]
    assert second == everything["groups"][1]
    assert client.get("/api/v1/duplicates?limit=x").status_code == 400


def test_a_hit_lists_its_places(client: FlaskClient, library: Library) -> None:
    hits = client.get("/api/v1/search?q=alpaca").get_json()["hits"]
    places = {hit["id"]: hit["places"] for hit in hits}
    three = places[library.ids()["alpaca.jpg"]]
    assert sorted(three) == sorted(
        str(library.photos / place)
        for place in ("albums/alpaca.jpg", 'backup/=1+2,"alpaca".jpg', "backup/alpaca\n2.jpg")
    )
    assert len(places[library.ids()["bear.jpg"]]) == 1
    page = text(client, "/").split('id="random"')[0]
    assert page.count("3 places") == 1
    (title,) = re.findall(r'title="(/[^>]+alpaca[^>]+)">', page)
    assert all(place in title for place in three)


def test_while_nothing_is_known_the_page_says_so_and_looks_again(library: Library) -> None:
    with opened(library.settings) as app:
        client = app.test_client()
        answer = client.get("/duplicates")
        assert "Looking for duplicates" in answer.get_data(as_text=True)
        assert answer.headers["Refresh"]
        assert client.get("/duplicates.csv").status_code == 503
        state = client.get("/api/v1/duplicates").get_json()
        assert (state["state"], state["groups"], state["total"]) == ("looking", [], 0)
        assert site.of(app).duplicates.group_of(1) is None


def test_a_library_without_duplicates_says_so(empty_client: FlaskClient) -> None:
    site.of(empty_client.application).duplicates.refresh()
    answer = empty_client.get("/duplicates")
    assert "No duplicates" in answer.get_data(as_text=True)
    assert "Refresh" not in answer.headers
    assert len(table(empty_client)) == 0


def test_it_follows_what_a_crawl_finds(own_library: Library, encoder: Encoder) -> None:
    first, second = sorted(own_library.photos.iterdir())[:2]
    with opened(own_library.settings) as app:
        duplicates = site.of(app).duplicates
        duplicates.start()
        wait_until(lambda: duplicates.groups() == ())
        shutil.copy(first, own_library.photos / "copy.jpg")
        drawing(1).resize((320, 240)).save(own_library.photos / "larger.jpg", quality=92)
        crawl_folder(own_library.settings, encoder, own_library.photos)
        wait_until(lambda: len(duplicates.groups() or ()) == 2)
        ids = own_library.ids()
        copied = duplicates.group_of(ids[first.name])
        assert copied == Group((ids[first.name],), (1.0,), 2, first.stat().st_size)
        larger = duplicates.group_of(ids[second.name])
        assert larger is not None
        assert larger.image_ids == (ids["larger.jpg"], ids[second.name])
        assert larger.bytes_to_free == second.stat().st_size
        (own_library.photos / "copy.jpg").unlink()
        (own_library.photos / "larger.jpg").unlink()
        crawl_folder(own_library.settings, encoder, own_library.photos)
        wait_until(lambda: duplicates.groups() == ())
        assert duplicates.group_of(ids[second.name]) is None


def test_it_hashes_what_an_older_crawl_has_left(own_library: Library, encoder: Encoder) -> None:
    drawing(1).resize((320, 240)).save(own_library.photos / "larger.jpg", quality=92)
    crawl_folder(own_library.settings, encoder, own_library.photos)
    with opened(own_library.settings) as app:
        connection = site.of(app).database.connection
        connection.execute("UPDATE images SET perceptual_hash = NULL")
        duplicates = site.of(app).duplicates
        duplicates.refresh()
        assert duplicates.groups() == ()
        duplicates.refresh()
        assert len(duplicates.groups() or ()) == 1


def test_a_database_that_fails_does_not_end_it(
    own_library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(own_library.settings) as app:
        database: Database = site.of(app).database
        database.connection.execute("ALTER TABLE images RENAME COLUMN byte_size TO other")
        duplicates: Duplicates = site.of(app).duplicates
        duplicates.start()
        wait_until(lambda: "duplicates were not looked for" in caplog.text)
        database.connection.execute("ALTER TABLE images RENAME COLUMN other TO byte_size")
        wait_until(lambda: duplicates.groups() is not None)


def hit(image_id: int) -> Hit:
    return Hit(Picture(image_id, 1, 1, "#000000", "PNG", b"/x"), 1 / image_id)


def test_near_duplicates_fold_behind_the_best_ranked_of_them() -> None:
    group = Group((5, 2, 9), (1.0, 0.95, 0.9), 3, 100)
    folded = fold(map(hit, (1, 2, 3, 5, 4)), lambda image: group if image in (5, 2, 9) else None)
    assert folded == [Folded(hit(1)), Folded(hit(2), (hit(5),), 5), Folded(hit(3)), Folded(hit(4))]
    assert fold([], lambda image: None) == []
