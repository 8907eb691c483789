"""`--prune`: what is gone is forgotten, and nothing else is."""

from __future__ import annotations

import os
from pathlib import Path

from crawler.crawl import Options
from library import files
from library.database import Database
from library.settings import Settings
from library.thumbnails import Thumbnails
from tests.conftest import CrawlFolders
from tests.crawled import rows, touch_later
from tests.pictures import drawing, fill

PRUNE = Options(prune=True)


def held(database: Database, table: str) -> int:
    (count,) = database.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)


def thumbnails(settings: Settings) -> int:
    return sum(map(len, Thumbnails(settings.thumbnail_dir).by_folder()))


def test_files_that_are_gone_are_forgotten_with_their_pictures_only_when_asked(
    crawl: CrawlFolders, photos_dir: Path, database: Database, settings: Settings
) -> None:
    paths = fill(photos_dir, 5)
    fill(photos_dir / "sub", 1, first_seed=20)
    os.link(paths[0], photos_dir / "copy.jpg")
    crawl(photos_dir)
    for path in (paths[0], paths[1], photos_dir / "sub" / "0000.jpg"):
        path.unlink()
    drawing(50).save(paths[2])  # its former content is in no file any more
    touch_later(paths[2])
    assert crawl(photos_dir).forgotten is None
    assert (held(database, "files"), held(database, "images")) == (7, 7)
    before = rows(database)
    pruned = crawl(photos_dir, options=PRUNE)
    assert pruned.forgotten is not None
    assert (pruned.forgotten.files, pruned.forgotten.pictures) == (3, 3)
    assert (pruned.missing, pruned.pictures) == (0, 4)
    assert rows(database) == before
    for table in ("files", "images", "vectors"):
        assert held(database, table) == 4
    assert held(database, "folders") == 1
    assert thumbnails(settings) == 4
    assert database.connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert {path.name for path in photos_dir.glob("*.jpg")} == rows(database).keys()


def test_a_forgotten_picture_that_comes_back_is_encoded_again(
    crawl: CrawlFolders, photos_dir: Path
) -> None:
    paths = fill(photos_dir, 3)
    crawl(photos_dir)
    aside = photos_dir / "aside"
    paths[1].rename(aside)
    crawl(photos_dir, options=PRUNE)
    aside.rename(paths[1])
    back = crawl(photos_dir)
    assert (back.encoded, back.pictures, back.missing) == (1, 3, 0)


def test_below_an_absent_root_nothing_is_forgotten(
    crawl: CrawlFolders, photos_dir: Path, tmp_path: Path, database: Database
) -> None:
    fill(photos_dir, 2)
    paths = fill(tmp_path / "disk", 3, first_seed=20)
    crawl(photos_dir, tmp_path / "disk")
    paths[0].unlink()
    crawl(photos_dir, tmp_path / "disk")
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    pruned = crawl(photos_dir, tmp_path / "disk", options=PRUNE)
    assert pruned.forgotten is not None
    assert (pruned.forgotten.files, pruned.forgotten.pictures) == (0, 0)
    assert (held(database, "files"), held(database, "images")) == (5, 5)
    assert len(files.roots(database.connection)) == 2


def test_thumbnails_that_a_killed_crawl_left_over_are_removed(
    crawl: CrawlFolders, photos_dir: Path, settings: Settings
) -> None:
    fill(photos_dir, 2)
    crawl(photos_dir)
    cache = Thumbnails(settings.thumbnail_dir)
    cache.write(bytes(16), b"of a picture that was forgotten")
    crawl(photos_dir)
    assert thumbnails(settings) == 3
    crawl(photos_dir, options=PRUNE)
    assert thumbnails(settings) == 2
