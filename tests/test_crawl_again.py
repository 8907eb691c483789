"""A second crawl: what changed, moved, went or came back, and what it costs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from crawler.crawl import Crawl
from crawler.read import Decoded, Known, Reader, Vanished
from library import indexed, listings, runs
from library.database import Database
from library.models import FileEntry, Progress, Work
from library.settings import Settings
from library.thumbnails import Thumbnails
from mlx_clip import Encoder
from tests.conftest import CrawlFolders
from tests.crawled import forget, rows, space, touch_later
from tests.pictures import drawing, fill


def test_a_second_run_has_nothing_to_do(crawl: CrawlFolders, photos_dir: Path) -> None:
    fill(photos_dir, 5)
    crawl(photos_dir)
    summary = crawl(photos_dir)
    assert (summary.files, summary.encoded, summary.skipped, summary.indexed) == (5, 0, 5, 5)


def test_a_damaged_file_is_not_tried_again_until_it_changes(
    crawl: CrawlFolders, photos_dir: Path
) -> None:
    (path,) = fill(photos_dir, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:300])
    assert crawl(photos_dir).failed == 1
    again = crawl(photos_dir)
    assert (again.failed, again.skipped) == (1, 1)
    path.write_bytes(whole)
    touch_later(path)
    mended = crawl(photos_dir)
    assert (mended.failed, mended.encoded) == (0, 1)


def test_what_the_disk_refused_is_tried_again_unchanged(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder, crawl: CrawlFolders
) -> None:
    paths = fill(photos_dir, 2)

    def listed() -> bool:
        run = runs.cut_off(database.connection)
        return run is not None and run.listed

    cut_off = Crawl(settings, database, encoder, cancelled=listed)
    assert cut_off.run([os.fsencode(photos_dir)]).interrupted
    aside = photos_dir / "aside"
    paths[0].rename(aside)
    paths[0].mkdir()  # opens, but cannot be read
    assert crawl(photos_dir).failed == 1
    paths[0].rmdir()
    aside.rename(paths[0])
    assert crawl(photos_dir).encoded == 1


def test_a_renamed_file_costs_no_encoding(
    crawl: CrawlFolders, photos_dir: Path, database: Database
) -> None:
    fill(photos_dir, 3)
    crawl(photos_dir)
    before = rows(database)["0001.jpg"]
    (photos_dir / "0001.jpg").rename(photos_dir / "renamed.jpg")
    summary = crawl(photos_dir)
    assert (summary.encoded, summary.pictures, summary.missing) == (0, 3, 1)
    assert rows(database)["renamed.jpg"] == before


def test_a_known_content_is_not_even_decoded(
    crawl: CrawlFolders,
    photos_dir: Path,
    settings: Settings,
    database: Database,
    encoder: Encoder,
) -> None:
    (path,) = fill(photos_dir, 1)
    crawl(photos_dir)
    thumbnails = Thumbnails(settings.thumbnail_dir)
    reader = Reader(database, space(database, encoder), encoder, thumbnails, 50)
    info = path.stat()
    work = Work(1, os.fsencode(path), info.st_size, info.st_mtime_ns)
    assert isinstance(reader.read(work), Known)
    drawing(5).save(path)
    assert isinstance(reader.read(work), Decoded)
    path.unlink()
    assert isinstance(reader.read(work), Vanished)


def test_a_changed_file_is_read_again(
    crawl: CrawlFolders, photos_dir: Path, database: Database
) -> None:
    fill(photos_dir, 2)
    crawl(photos_dir)
    before = rows(database)
    drawing(99).save(photos_dir / "0000.jpg")
    touch_later(photos_dir / "0000.jpg")
    summary = crawl(photos_dir)
    assert (summary.encoded, summary.pictures) == (1, 2)
    assert rows(database)["0000.jpg"] != before["0000.jpg"]
    assert rows(database)["0001.jpg"] == before["0001.jpg"]


def test_a_file_that_changes_between_scan_and_read_and_back_is_read_again(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder, crawl: CrawlFolders
) -> None:
    (path,) = fill(photos_dir, 1)
    crawl(photos_dir)
    first = rows(database)["0000.jpg"]
    touch_later(path)
    as_listed = (path.read_bytes(), path.stat().st_mtime_ns)

    def change(progress: Progress) -> None:
        if progress.stage == "scan":
            drawing(99).save(path)

    Crawl(settings, database, encoder, change).run([os.fsencode(photos_dir)])
    assert rows(database)["0000.jpg"] != first
    path.write_bytes(as_listed[0])  # from a backup, with the date that the scan saw
    os.utime(path, ns=(as_listed[1], as_listed[1]))
    crawl(photos_dir)
    assert rows(database)["0000.jpg"] == first


def test_a_deleted_file_is_missing_and_a_restored_one_costs_nothing(
    crawl: CrawlFolders, photos_dir: Path, tmp_path: Path, database: Database
) -> None:
    fill(photos_dir, 3)
    crawl(photos_dir)
    shutil.move(photos_dir / "0002.jpg", tmp_path / "aside.jpg")
    gone = crawl(photos_dir)
    assert (gone.missing, gone.pictures, gone.encoded) == (1, 2, 0)
    assert database.connection.execute("SELECT count(*) FROM files").fetchone() == (3,)
    shutil.move(tmp_path / "aside.jpg", photos_dir / "0002.jpg")
    back = crawl(photos_dir)
    assert (back.missing, back.pictures, back.encoded, back.skipped) == (0, 3, 0, 3)


@pytest.mark.fault("root disappears")
def test_an_absent_or_empty_root_marks_nothing_missing(
    crawl: CrawlFolders, photos_dir: Path, tmp_path: Path
) -> None:
    fill(photos_dir, 3)
    crawl(photos_dir)
    photos_dir.rename(tmp_path / "unplugged")
    absent = crawl(photos_dir)
    assert (absent.missing, absent.pictures) == (0, 3)
    assert absent.absent == (os.fsencode(photos_dir),)
    photos_dir.mkdir()  # the mount point of a disk that is not there
    empty = crawl(photos_dir)
    assert (empty.missing, empty.pictures) == (0, 3)


def test_another_root_is_left_alone(crawl: CrawlFolders, photos_dir: Path, tmp_path: Path) -> None:
    fill(photos_dir, 2)
    fill(tmp_path / "photos-too", 2, first_seed=50)
    crawl(photos_dir, tmp_path / "photos-too")
    shutil.rmtree(tmp_path / "photos-too")
    summary = crawl(photos_dir)
    assert (summary.missing, summary.pictures) == (0, 4)


@pytest.mark.fault("root disappears")
def test_a_disk_that_vanishes_in_the_middle_marks_nothing_missing(
    photos_dir: Path,
    tmp_path: Path,
    settings: Settings,
    database: Database,
    encoder: Encoder,
    crawl: CrawlFolders,
) -> None:
    fill(photos_dir, 80)
    unplugged = tmp_path / "unplugged"

    def unplug(progress: Progress) -> None:
        if progress.stage == "read" and progress.done and photos_dir.exists():
            photos_dir.rename(unplugged)

    half = Crawl(settings, database, encoder, unplug).run([os.fsencode(photos_dir)])
    assert 0 < half.encoded < 80
    assert (half.missing, half.failed) == (0, 0)
    unplugged.rename(photos_dir)
    whole = crawl(photos_dir)
    assert (whole.pictures, whole.encoded) == (80, 80 - half.encoded)


def test_below_an_unreadable_folder_nothing_goes_missing(database: Database) -> None:
    root = b"/photos"
    found: dict[bytes, list[FileEntry]] = {
        root: [(b"/photos/a.jpg", 1, 1)],
        b"/photos/locked": [(b"/photos/locked/b.jpg", 1, 1)],
    }

    def apply(*unreadable: bytes) -> int:
        """Apply a list of what is found; gives how many files are missing then."""
        with database.transaction() as connection:
            listings.apply_list(
                connection,
                {folder: repr(entries).encode() for folder, entries in found.items()},
                lambda folders: [entry for folder in folders for entry in found[folder]],
                [root],
                unreadable,
                1.0,
            )
        missing = "SELECT count(*) FROM files WHERE missing_since IS NOT NULL"
        (count,) = database.connection.execute(missing).fetchone()
        return int(count)

    assert apply() == 0
    locked = found.pop(b"/photos/locked")
    assert apply(b"/photos/locked") == 0
    assert apply() == 1
    found[b"/photos/locked"] = locked
    assert apply() == 0
    found[b"/photos/locked"] = []  # its names can be read, what they are cannot
    assert apply(b"/photos/locked") == 0
    assert apply() == 1


def test_with_nothing_new_it_still_empties_the_index_of_what_was_forgotten(
    crawl: CrawlFolders, photos_dir: Path, database: Database
) -> None:
    paths = fill(photos_dir, 3)
    crawl(photos_dir)
    paths[1].unlink()
    forget(database, "0001.jpg")
    assert crawl(photos_dir).indexed == 2
    assert indexed.count_unwanted(database.connection) == 0
