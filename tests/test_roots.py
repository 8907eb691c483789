"""Roots: one spelling, nothing twice, and what is known of an absent one is left alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crawler.roots import outermost
from crawler.scan import Walk
from library import files
from library.database import Database
from tests.conftest import CrawlFolders
from tests.pictures import fill


def test_of_nested_roots_the_outermost_stays() -> None:
    roots = outermost([b"/p/a", b"/p", b"/p/a/b", b"/pa", b"/p/"])
    assert roots == (b"/p", b"/pa")


def test_a_remembered_root_spelled_otherwise_is_that_root(
    crawl: CrawlFolders, photos_dir: Path, tmp_path: Path, database: Database
) -> None:
    fill(photos_dir, 2)
    fill(photos_dir / "sub", 2, first_seed=10)
    crawl(photos_dir)
    (tmp_path / "link").symlink_to(photos_dir)
    (tmp_path / "link-to-sub").symlink_to(photos_dir / "sub")
    for other in (tmp_path / "link", tmp_path / "link" / "sub", tmp_path / "link-to-sub"):
        again = crawl(other)
        assert (again.absent, again.encoded, again.missing) == ((), 0, 0)
        assert database.connection.execute("SELECT count(*) FROM files").fetchone() == (4,)
    assert files.roots(database.connection)[0] == os.fsencode(photos_dir)


def test_a_root_is_spelled_as_its_disk_does_where_that_ignores_case(
    photos_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link of another case stands for the disk: it is the same folder by another name."""
    (photos_dir / "Holidays").mkdir()
    (photos_dir / "HOLIDAYS").symlink_to(photos_dir / "Holidays")
    monkeypatch.setattr(os, "listdir", lambda path: [b"Elsewhere", b"Holidays"])
    assert outermost([os.fsencode(photos_dir / "HOLIDAYS")]) == (
        os.fsencode(photos_dir / "Holidays"),
    )


def test_overlapping_roots_by_two_ways_are_walked_once(
    crawl: CrawlFolders, photos_dir: Path, tmp_path: Path, database: Database
) -> None:
    fill(photos_dir / "sub", 2)
    fill(photos_dir, 1, first_seed=10)
    (tmp_path / "a-link").symlink_to(photos_dir / "sub")
    present = "SELECT count(*) FROM files WHERE missing_since IS NULL"
    for folders in ([tmp_path / "a-link"], [tmp_path / "a-link", photos_dir], [photos_dir]):
        summary = crawl(*folders)
        assert (summary.absent, summary.failed) == ((), 0)
    both = crawl(tmp_path / "a-link", photos_dir)
    assert (both.files, both.absent, both.pictures) == (3, (), 3)
    assert database.connection.execute(present).fetchone() == (3,)


@contextmanager
def nobody() -> Iterator[None]:
    """For root may look into any folder."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_what_cannot_be_looked_into_is_said_to_be_unreadable() -> None:
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        locked, half_locked = Path(base, "locked"), Path(base, "names-can-be-read-and-nothing-else")
        for folder in (Path(base), locked, half_locked):
            fill(folder, 1)
        locked.chmod(0o000)
        half_locked.chmod(0o444)
        walk = Walk([os.fsencode(base)])
        with nobody():
            found = [folder for folder, _ in walk]
        assert found == [os.fsencode(base)]
        assert walk.unreadable == [os.fsencode(locked), os.fsencode(half_locked)]
        half_locked.chmod(0o755)
