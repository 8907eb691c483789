"""Excludes: what a pattern matches, that it is remembered, and that nothing is lost by it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from crawler.crawl import Options
from crawler.excludes import Excludes
from crawler.scan import Walk
from crawler.selection import Selection
from library import excludes
from library.database import Database
from tests.conftest import CrawlFolders
from tests.crawled import rows
from tests.pictures import fill


@pytest.mark.parametrize(
    ("pattern", "matched", "not_matched"),
    [
        (b"a.jpg", [b"a.jpg", b"x/a.jpg", b"x/y/a.jpg"], [b"ba.jpg", b"a.jpgs", b"x/ba.jpg"]),
        (b"*.png", [b"a.png", b"x/.png", b"x y/\n.png"], [b"a.PNG", b"a.png.jpg", b"x.png/a.jpg"]),
        (b"IMG_?.jpg", [b"IMG_1.jpg"], [b"IMG_.jpg", b"IMG_12.jpg", b"IMG_/.jpg"]),
        (b"[a-c]*", [b"a", b"x/bcd"], [b"d", b"abc/d"]),
        (b"[!a]", [b"b", b"x/b", b"^"], [b"a", b"x/a", b"bb"]),
        (b"[]x]", [b"]", b"x"], [b"[]x]"]),
        (b"[", [b"[", b"x/["], [b"a"]),
        (b"x/a.jpg", [b"x/a.jpg"], [b"a.jpg", b"y/x/a.jpg", b"x/y/a.jpg"]),
        (b"/x", [b"x"], [b"y"]),
        (b"x/*", [b"x/a", b"x/y"], [b"x/y/a", b"x"]),
        (b"**/cache", [b"x/cache", b"x/y/cache"], [b"xcache", b"x/ycache"]),
        (b"x/**/a.jpg", [b"x/a.jpg", b"x/y/a.jpg", b"x/y/z/a.jpg"], [b"xy/a.jpg", b"y/x/a.jpg"]),
        (b"x/**", [b"x/a", b"x/y/a"], [b"x", b"y/x/a"]),
        (b"\xff*", [b"\xff.jpg", b"x/\xff"], [b"\xfe.jpg"]),
        (b"a+(b).jpg", [b"a+(b).jpg"], [b"aab.jpg"]),
    ],
)
def test_what_a_pattern_matches(
    pattern: bytes, matched: list[bytes], not_matched: list[bytes]
) -> None:
    found = Excludes([pattern, b"another pattern"])
    for path in matched:
        assert found.file(path) and found.folder(path), path
    for path in not_matched:
        assert not found.file(path) and not found.folder(path), path


def test_a_slash_at_the_end_means_folders_and_case_can_be_ignored() -> None:
    folders = Excludes([b"Trash/", b"x/y/"])
    assert folders.folder(b"a/Trash") and folders.folder(b"x/y")
    assert not folders.file(b"a/Trash") and not folders.file(b"x/y")
    assert not folders.folder(b"trash")
    assert Excludes([b"Trash/"], ignore_case=True).folder(b"trash")


@pytest.mark.parametrize("pattern", [b"", b"/", b"//", b"[z-a]", b"a\0b"])
def test_what_is_no_pattern_is_refused(pattern: bytes) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Excludes([pattern])


def test_the_walk_passes_over_what_is_excluded(photos_dir: Path, tmp_path: Path) -> None:
    names = ["a.jpg", "b.png", "sub/a.jpg", "sub/deep/b.jpg", "Trash/c.jpg", "keep/Trash.jpg"]
    for name in names:
        (photos_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (photos_dir / name).write_bytes(b"x")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "d.jpg").write_bytes(b"x")
    (photos_dir / "link-to-outside").symlink_to(tmp_path / "outside")
    (photos_dir / "link.jpg").symlink_to(tmp_path / "outside" / "d.jpg")

    def found(*patterns: bytes) -> set[str]:
        walk = Walk([os.fsencode(photos_dir)], Selection(patterns))
        paths = {os.fsdecode(path) for _, files in walk for path, _, _ in files}
        assert walk.walked  # what is excluded shows that the disk is there
        return {os.path.relpath(path, photos_dir) for path in paths}

    everything = {*names, "link-to-outside/d.jpg"}
    assert found() == everything
    assert found(b"*.png", b"Trash/") == everything - {"b.png", "Trash/c.jpg"}
    assert found(b"sub/deep") == everything - {"sub/deep/b.jpg"}
    assert found(b"sub", b"link-to-outside/") == everything - {
        "sub/a.jpg",
        "sub/deep/b.jpg",
        "link-to-outside/d.jpg",
    } | {"link.jpg"}
    assert found(b"*") == set()


def test_patterns_are_remembered_and_what_they_exclude_is_missing_until_they_go(
    crawl: CrawlFolders, photos_dir: Path, database: Database
) -> None:
    fill(photos_dir, 3)
    shutil.copytree(photos_dir, photos_dir / "old")
    assert crawl(photos_dir).files == 6
    excluded = crawl(photos_dir, options=Options(exclude=(b"old", b"0001.jpg")))
    assert (excluded.files, excluded.missing, excluded.pictures) == (2, 4, 2)
    later = crawl(photos_dir)
    assert (later.files, later.missing, later.absent) == (2, 4, ())
    assert excludes.excludes(database.connection) == (b"0001.jpg", b"old")
    back = crawl(photos_dir, options=Options(include=(b"old", b"0001.jpg")))
    assert (back.files, back.missing, back.encoded, back.skipped) == (6, 0, 0, 6)


def test_a_root_of_which_everything_is_excluded_is_not_absent(
    crawl: CrawlFolders, photos_dir: Path, database: Database
) -> None:
    fill(photos_dir, 2)
    crawl(photos_dir)
    summary = crawl(photos_dir, options=Options(exclude=(b"*.jpg",)))
    assert (summary.absent, summary.missing) == ((), 2)
    assert rows(database) == {}
