"""Which files are picked: by what is installed, and RAWs by what lies beside them."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from crawler.scan import Walk
from crawler.selection import BESIDE, Selection
from crawler.terminal import sentences
from library.settings import load_settings
from tests.conftest import CrawlFolders
from tests.pictures import fill

NAMES = ("a.jpg", "a.NEF", "A.dng", "b.cr2", "c.mp4", "sub/d.MOV", "sub/a.arw", "e.jxl", ".x.mp4")


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """As if these packages were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in packages else find(name)
    )


def found(folder: Path, selection: Selection) -> tuple[set[str], dict[str, int]]:
    walk = Walk([os.fsencode(folder)], selection)
    paths = [os.fsdecode(path) for _, files in walk for path, _, _ in files]
    return {os.path.relpath(path, folder) for path in paths}, dict(walk.skipped)


@pytest.fixture
def folder(photos_dir: Path) -> Path:
    for name in NAMES:
        (photos_dir / name).parent.mkdir(exist_ok=True)
        (photos_dir / name).write_bytes(b"x")
    return photos_dir


def test_a_raw_beside_a_jpeg_is_skipped_unless_a_setting_says_otherwise(folder: Path) -> None:
    picked, skipped = found(folder, Selection())
    assert picked == {"a.jpg", "b.cr2", "c.mp4", "sub/d.MOV", "sub/a.arw", "e.jxl"}
    assert skipped == {BESIDE: 2}
    picked, skipped = found(folder, Selection(raw_beside_jpeg=True))
    assert (picked, skipped) == (set(NAMES) - {".x.mp4"}, {})
    assert load_settings({"RAW_BESIDE_JPEG": "read"}).raw_beside_jpeg
    assert not load_settings({}).raw_beside_jpeg


def test_links_count_as_what_they_are_called(folder: Path, tmp_path: Path) -> None:
    farm = tmp_path / "farm"
    farm.mkdir()
    for name in ("a.jpg", "a.NEF", "b.cr2"):
        (farm / name).symlink_to(folder / name)
    assert found(farm, Selection()) == ({"a.jpg", "b.cr2"}, {BESIDE: 1})


def test_what_no_package_reads_is_counted_by_kind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "rawpy", "av", "pillow_jxl")
    picked, skipped = found(folder, Selection((b"sub/d*",)))
    assert picked == {"a.jpg"}
    assert skipped == {BESIDE: 2, "RAW photos": 2, "videos": 1, "JPEG XL pictures": 1}


def test_the_summary_says_what_to_install_and_the_next_crawl_finds_it(
    crawl: CrawlFolders, photos_dir: Path
) -> None:
    fill(photos_dir, 1)
    (photos_dir / "0000.nef").write_bytes(b"x")
    for name in ("1.mp4", "2.mp4"):
        (photos_dir / name).write_bytes(b"no video at all")
    with pytest.MonkeyPatch.context() as patch:
        without(patch, "av")
        first = crawl(photos_dir)
    lines = sentences(first, [])
    assert "2 videos skipped: .venv/bin/python -m pip install av" in lines
    assert any(line.startswith(f"1 {BESIDE} of the same name skipped") for line in lines)
    assert (first.files, first.failed) == (1, 0)
    assert crawl(photos_dir).files == 3
