"""The walk: what it finds, what it passes over, and that it always ends."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from crawler.roots import outermost
from crawler.scan import Walk
from library.models import FileEntry


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def entries(walk: Walk) -> list[FileEntry]:
    """By folder in the order of the walk, by name within each."""
    found = [(folder, sorted(files)) for folder, files in walk]
    assert all(os.path.dirname(path) == folder for folder, files in found for path, _, _ in files)
    return [entry for _, files in found for entry in files]


def names(walk: Walk, root: Path) -> list[str]:
    return [os.fsdecode(os.path.relpath(path, os.fsencode(root))) for path, _, _ in entries(walk)]


def walk(*roots: Path) -> Walk:
    return Walk([os.fsencode(root) for root in roots])


def test_it_finds_pictures_by_extension_in_any_depth_and_case(photos_dir: Path) -> None:
    touch(photos_dir / "b.JPG", photos_dir / "a.png", photos_dir / "deep/er/c.heic")
    touch(photos_dir / "notes.txt", photos_dir / "jpg", photos_dir / "movie.avi")
    assert names(walk(photos_dir), photos_dir) == ["a.png", "b.JPG", "deep/er/c.heic"]


def test_an_entry_has_size_and_mtime(photos_dir: Path) -> None:
    path = photos_dir / "a.jpg"
    path.write_bytes(b"12345")
    os.utime(path, ns=(1, 1_600_000_000_123_456_789))
    assert entries(walk(photos_dir)) == [(os.fsencode(path), 5, 1_600_000_000_123_456_789)]


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.jpg",
        "._IMG_1.jpg",
        ".git/a.jpg",
        "@eaDir/a.jpg",
        "node_modules/a.jpg",
        ".x/y/a.jpg",
    ],
)
def test_it_skips_what_is_nobodys_photo(photos_dir: Path, name: str) -> None:
    touch(photos_dir / name, photos_dir / "kept.jpg")
    assert names(walk(photos_dir), photos_dir) == ["kept.jpg"]


def test_a_hidden_folder_that_is_named_is_walked(photos_dir: Path) -> None:
    touch(photos_dir / ".private" / "a.jpg")
    assert names(walk(photos_dir / ".private"), photos_dir) == [".private/a.jpg"]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")
def test_names_that_are_not_utf8_or_hold_newlines(photos_dir: Path) -> None:
    folder = os.fsencode(photos_dir)
    odd = [b"\xff\xfe.jpg", b"new\nline.jpg", b"quote'\".jpg", b"n" * 251 + b".jpg"]
    for name in odd:
        with open(os.path.join(folder, name), "wb"):
            pass
    assert {os.path.basename(entry[0]) for entry in entries(walk(photos_dir))} == set(odd)


def test_links_are_followed_once_and_the_real_path_wins(photos_dir: Path, tmp_path: Path) -> None:
    touch(photos_dir / "z" / "real.jpg", tmp_path / "outside" / "far.jpg")
    (photos_dir / "a-link-to-z").symlink_to(photos_dir / "z")
    (photos_dir / "b-link-to-outside").symlink_to(tmp_path / "outside")
    (photos_dir / "c-again").symlink_to(tmp_path / "outside")
    (photos_dir / "d.jpg").symlink_to(photos_dir / "z" / "real.jpg")
    (photos_dir / "e.jpg").symlink_to(tmp_path / "outside" / "far.jpg")
    (photos_dir / "f.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert names(walk(photos_dir), photos_dir) == ["z/real.jpg", "b-link-to-outside/far.jpg"]


def test_two_links_to_one_file_outside_are_one(photos_dir: Path, tmp_path: Path) -> None:
    touch(tmp_path / "outside.jpg")
    (photos_dir / "a.jpg").symlink_to(tmp_path / "outside.jpg")
    (photos_dir / "b.jpg").symlink_to(tmp_path / "outside.jpg")
    assert names(walk(photos_dir), photos_dir) == ["a.jpg"]


def test_loops_end(photos_dir: Path) -> None:
    touch(photos_dir / "one" / "a.jpg")
    (photos_dir / "one" / "up").symlink_to(photos_dir)
    (photos_dir / "self").symlink_to(photos_dir / "self")
    (photos_dir / "self.jpg").symlink_to(photos_dir / "self.jpg")
    assert names(walk(photos_dir), photos_dir) == ["one/a.jpg"]


def test_what_is_no_regular_file_is_passed_over(photos_dir: Path) -> None:
    (photos_dir / "folder.jpg").mkdir()
    os.mkfifo(photos_dir / "fifo.jpg")
    (photos_dir / "null.jpg").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(photos_dir / "socket.jpg"))
        touch(photos_dir / "kept.jpg")
        assert names(walk(photos_dir), photos_dir) == ["kept.jpg"]


def test_roots_that_gave_nothing_are_not_walked(photos_dir: Path, tmp_path: Path) -> None:
    touch(photos_dir / "a.jpg")
    (tmp_path / "empty").mkdir()
    found = walk(photos_dir, tmp_path / "empty", tmp_path / "absent")
    assert len(entries(found)) == 1
    assert found.walked == (os.fsencode(photos_dir),)
    assert found.unreadable == [os.fsencode(tmp_path / "absent")]


def test_of_nested_roots_the_outermost_stays() -> None:
    roots = outermost([b"/p/a", b"/p", b"/p/a/b", b"/pa", b"/p/"])
    assert roots == (b"/p", b"/pa")


def test_a_root_that_another_root_held_already_is_not_absent(
    photos_dir: Path, tmp_path: Path
) -> None:
    touch(photos_dir / "sub" / "a.jpg")
    (tmp_path / "z-link").symlink_to(photos_dir / "sub")
    found = walk(photos_dir, tmp_path / "z-link")
    assert len(entries(found)) == 1
    assert found.walked == (os.fsencode(photos_dir), os.fsencode(tmp_path / "z-link"))


def test_a_librarys_own_thumbnails_are_no_pictures(photos_dir: Path) -> None:
    touch(photos_dir / "a.jpg", photos_dir / "data" / "thumbnails" / "00" / "b.jpg")
    apart = photos_dir / "data" / "thumbnails"
    assert names(Walk([os.fsencode(photos_dir)], apart=apart), photos_dir) == ["a.jpg"]
