"""What a watched folder's events come to: which files, and when they stand still."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crawler.changes import Changes
from crawler.selection import Selection
from library import listings
from library.database import Database
from library.settings import Settings


@pytest.fixture
def changes(database: Database, photos_dir: Path, settings: Settings) -> Changes:
    selection = Selection((b"*.gif", b"private/"))
    return Changes(database, [os.fsencode(photos_dir)], selection, settings.thumbnail_dir)


def write(path: Path, content: bytes = b"x") -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return os.fsencode(path)


def take_in(database: Database, changes: Changes, now: float) -> tuple[set[str], set[str]]:
    """The names of what is settled and of what is gone, which the library then knows."""
    entries, gone = changes.settled(now)
    with database.transaction() as connection:
        listings.apply_changes(connection, entries, gone, now)
    return (
        {os.path.basename(os.fsdecode(path)) for path, _, _ in entries},
        {os.path.basename(os.fsdecode(path)) for path in gone},
    )


def test_a_file_is_given_once_it_stands_still_and_until_it_is_taken_in(
    changes: Changes, database: Database, photos_dir: Path
) -> None:
    growing, still = write(photos_dir / "growing.jpg"), write(photos_dir / "still.jpg")
    changes.note([growing])
    assert changes.settled(0) == ([], [])
    write(photos_dir / "growing.jpg", b"xx")
    assert [path for path, _, _ in changes.settled(1.5)[0]] == [still]
    assert take_in(database, changes, 2) == ({"still.jpg"}, set())
    assert take_in(database, changes, 2.6) == ({"growing.jpg"}, set())
    assert changes.settled(99) == ([], [])


def test_what_a_crawl_would_pass_over_is_passed_over(
    changes: Changes, database: Database, photos_dir: Path, settings: Settings
) -> None:
    names = ["a.gif", ".h.jpg", ".hidden/a.jpg", "private/b.jpg", "x/@eaDir/c.jpg", "d.txt"]
    paths = [write(photos_dir / name) for name in names]
    changes.note([*paths, *map(os.path.dirname, paths), b"/elsewhere/e.jpg"])
    changes.note([os.fsencode(photos_dir), write(settings.thumbnail_dir / "f.jpg")])
    changes.settled(0)
    assert changes.settled(9) == ([], [])
    assert not changes.needs_crawl


def test_thumbnails_inside_a_root_are_no_pictures(database: Database, photos_dir: Path) -> None:
    thumbnails = photos_dir / "data" / "thumbnails"
    changes = Changes(database, [os.fsencode(photos_dir)], Selection(), thumbnails)
    changes.note([write(thumbnails / "00" / "a.jpg"), os.fsencode(thumbnails / "00")])
    changes.note([write(photos_dir / "data" / "b.jpg")])
    changes.settled(0)
    assert take_in(database, changes, 9) == ({"b.jpg"}, set())


def test_a_folder_that_moves_in_comes_with_everything_and_goes_so(
    changes: Changes, database: Database, photos_dir: Path, tmp_path: Path
) -> None:
    write(tmp_path / "aside" / "a.jpg")
    write(tmp_path / "aside" / "deep" / "b.jpg")
    (tmp_path / "aside").rename(photos_dir / "in")
    changes.note([os.fsencode(photos_dir / "in")])
    changes.settled(0)
    assert take_in(database, changes, 9) == ({"a.jpg", "b.jpg"}, set())
    (photos_dir / "in").rename(tmp_path / "aside")
    changes.note([os.fsencode(photos_dir / "in")])
    assert take_in(database, changes, 10) == (set(), {"in"})
    missing = "SELECT count(*) FROM files WHERE missing_since IS NOT NULL"
    assert database.connection.execute(missing).fetchone() == (2,)
    assert changes.settled(99) == ([], [])


def test_one_file_that_goes_is_gone_alone(
    changes: Changes, database: Database, photos_dir: Path
) -> None:
    paths = [write(photos_dir / name) for name in ("a.jpg", "b.jpg")]
    changes.note(paths)
    changes.settled(0)
    take_in(database, changes, 9)
    os.unlink(paths[0])
    changes.note(paths[:1])
    assert take_in(database, changes, 10) == (set(), {"a.jpg"})


def test_links_are_left_to_a_crawl_and_a_way_through_one_is_the_real_way(
    changes: Changes, database: Database, photos_dir: Path
) -> None:
    write(photos_dir / "real" / "a.jpg")
    (photos_dir / "link").symlink_to(photos_dir / "real")
    changes.note([os.fsencode(photos_dir / "link" / "a.jpg")])
    changes.settled(0)
    (entry,) = changes.settled(9)[0]
    assert entry[0] == os.fsencode(photos_dir / "real" / "a.jpg")
    assert not changes.needs_crawl
    changes.note([os.fsencode(photos_dir / "link")])
    assert changes.needs_crawl
