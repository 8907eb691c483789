"""Collections of folders: each folder in one is an item, with the pictures below it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crawler.__main__ import main
from library import collections
from library.database import Database
from library.settings import Settings
from tests.conftest import CrawlFolders
from tests.pictures import fill


@pytest.fixture
def albums(photos_dir: Path) -> Path:
    fill(photos_dir / "sea", 3)
    fill(photos_dir / "hills" / "winter", 2, 10)
    fill(photos_dir / "sea", 1, 0)  # the same picture as one that is there
    (photos_dir / "empty").mkdir()
    return photos_dir


def items(database: Database) -> dict[str, int]:
    (collection,) = collections.collections(database.connection)
    found = collections.items(database.connection, collection.id)
    return {item.about.name: item.pictures for item in found}


def crawl_collection(settings: Settings, folder: Path) -> int:
    return main(["--collection", str(folder), "--data", str(settings.data_dir)])


def test_each_folder_is_an_item(settings: Settings, database: Database, albums: Path) -> None:
    assert crawl_collection(settings, albums) == 0
    assert items(database) == {"hills": 2, "sea": 3}
    (collection,) = collections.collections(database.connection)
    assert (collection.name, collection.source) == ("photos", "folder")
    assert len(collections.pairs(database.connection)) == 5


def test_later_crawls_keep_it_right(
    settings: Settings, database: Database, albums: Path, crawl: CrawlFolders
) -> None:
    crawl_collection(settings, albums)
    known = collections.collections(database.connection)
    before = {i.about.name: i.id for i in collections.items(database.connection, known[0].id)}
    fill(albums / "people", 2, 50)
    (albums / "sea" / "0001.jpg").unlink()
    shutil.copy(albums / "sea" / "0000.jpg", albums / "hills")
    crawl(albums)
    assert items(database) == {"hills": 3, "people": 2, "sea": 2}
    after = {i.about.name: i.id for i in collections.items(database.connection, known[0].id)}
    assert {name: after[name] for name in before} == before
    crawl_collection(settings, albums)
    assert collections.collections(database.connection) == known


def test_folders_of_one_name_are_two_collections(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    for parent in ("one", "two"):
        fill(tmp_path / parent / "art" / "a", 1)
        crawl_collection(settings, tmp_path / parent / "art")
    names = [one.name for one in collections.collections(database.connection)]
    assert names == ["art", "art 2"]


def test_a_folder_that_is_not_there_is_said(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path / "there", 1)
    arguments = [str(tmp_path / "there"), "--collection", str(tmp_path / "away")]
    assert main([*arguments, "--data", str(settings.data_dir)]) == 2
    assert "away: no such folder" in capsys.readouterr().err
