"""Originals that go away while they are read: the run does what it can, and deletes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawler.crawl import Crawl, Summary
from library.database import Database
from library.models import Progress
from library.settings import Settings
from mlx_clip import Encoder, load_encoder
from tests.conftest import CrawlFolders
from tests.pictures import drawing, fill
from tests.web_fixtures import crawl_folder, settings_of

PICTURES = 200


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    encoder = load_encoder(str(Path(__file__).parent / "checkpoints" / "clip"), runtime="onnx")
    encoder.encode_images(encoder.preprocess(drawing(0))[None])  # nobody may not load it later
    return encoder


@pytest.fixture
def nobody(photos_dir: Path, tmp_path: Path, encoder: Encoder) -> Iterator[None]:
    """Whom permissions hold for, which they do not for root."""
    fill(tmp_path / "before", 1, first_seed=900)
    # So that nobody has to load what only root may read.
    crawl_folder(settings_of(tmp_path / "another", "5"), encoder, tmp_path / "before")
    if os.geteuid() != 0:
        yield
        return
    outer = [path for path in photos_dir.parents if path.stat().st_mode & 0o005 != 0o005]
    modes = {path: path.stat().st_mode for path in outer}
    for path in (photos_dir.parent, *photos_dir.parent.rglob("*")):
        os.chown(path, 65534, 65534)
    for path in outer:
        path.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)


def crawl_until(
    settings: Settings,
    database: Database,
    encoder: Encoder,
    folder: Path,
    change: Callable[[], None],
) -> Summary:
    """Crawl a folder, and change something once as soon as pictures have been read."""
    changed: list[Progress] = []

    def report(progress: Progress) -> None:
        if progress.stage == "read" and progress.done and not changed:
            changed.append(progress)
            change()

    return Crawl(settings, database, encoder, report).run([os.fsencode(folder)])


@pytest.mark.fault("root disappears")
def test_files_that_are_deleted_while_they_are_read_are_left_to_the_next_crawl(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder, crawl: CrawlFolders
) -> None:
    paths = fill(photos_dir, PICTURES)

    def delete() -> None:
        for path in paths[-20:]:
            path.unlink()

    half = crawl_until(settings, database, encoder, photos_dir, delete)
    assert (half.pictures, half.missing, half.failed) == (PICTURES - 20, 0, 0)
    assert crawl(photos_dir).missing == 20  # whose folder is there, and they are not


@pytest.mark.fault("root disappears")
@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("folder", [True, False], ids=["folder", "files"])
def test_permissions_that_are_taken_meanwhile_lose_nothing(
    folder: bool,
    photos_dir: Path,
    settings: Settings,
    database: Database,
    encoder: Encoder,
    crawl: CrawlFolders,
) -> None:
    closed = [photos_dir] if folder else fill(photos_dir, PICTURES)[-50:]
    fill(photos_dir, PICTURES)

    def take() -> None:
        for path in closed:
            path.chmod(0)

    half = crawl_until(settings, database, encoder, photos_dir, take)
    assert 0 < half.pictures < PICTURES
    assert half.missing == 0
    assert half.failed == PICTURES - half.pictures
    again = crawl(photos_dir)  # while they may not be read
    assert (again.pictures, again.missing) == (half.pictures, 0)
    for path in closed:
        path.chmod(0o755)
    whole = crawl(photos_dir)
    assert (whole.pictures, whole.encoded) == (PICTURES, PICTURES - half.pictures)
    assert (whole.missing, whole.failed) == (0, 0)


@pytest.mark.fault("root disappears")
def test_a_root_that_disappears_between_list_and_table_marks_nothing_missing(
    photos_dir: Path,
    tmp_path: Path,
    settings: Settings,
    database: Database,
    encoder: Encoder,
    crawl: CrawlFolders,
) -> None:
    fill(photos_dir, 20)
    crawl(photos_dir)
    fill(photos_dir / "more", 10, first_seed=500)

    def unplug(progress: Progress) -> None:
        if progress.stage == "scan" and progress.done and photos_dir.exists():
            photos_dir.rename(tmp_path / "unplugged")

    half = Crawl(settings, database, encoder, unplug).run([os.fsencode(photos_dir)])
    assert (half.pictures, half.missing) == (20, 0)
    (tmp_path / "unplugged").rename(photos_dir)
    assert crawl(photos_dir).pictures == 30
