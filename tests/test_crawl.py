"""The crawl, end to end: pictures on disk to rows, vectors and an index."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from crawler.crawl import Crawl
from library import files, images, spaces, vectors
from library.database import Database
from library.settings import Settings
from library.thumbnails import Thumbnails
from mlx_clip import Encoder, load_encoder
from tests.conftest import CrawlFolders
from tests.crawled import rows, space, vector_of
from tests.pictures import fill


def test_every_picture_gets_its_own_row_vector_and_thumbnail(
    crawl: CrawlFolders,
    photos_dir: Path,
    database: Database,
    settings: Settings,
    encoder: Encoder,
) -> None:
    paths = fill(photos_dir, 40)
    summary = crawl(photos_dir)
    assert (summary.files, summary.pictures, summary.encoded, summary.indexed) == (40, 40, 40, 40)
    assert (summary.skipped, summary.failed, summary.missing) == (0, 0, 0)
    where = space(database, encoder)
    for path in paths:
        content_hash = hashlib.blake2b(path.read_bytes(), digest_size=16).digest()
        image_id = images.find(database.connection, content_hash)
        assert image_id is not None
        stored = vectors.get(database.connection, where, image_id)
        expected = vector_of(path, encoder)
        assert stored is not None
        np.testing.assert_allclose(stored, expected, atol=1e-5)
        details = images.get(database.connection, image_id)
        assert details is not None
        assert [file.path for file in details.files] == [os.fsencode(path)]
        thumb = Thumbnails(settings.thumbnail_dir).path(content_hash)
        with Image.open(thumb) as opened:
            assert opened.size == (160, 120)


def test_a_damaged_file_is_recorded_and_shifts_nobody(
    crawl: CrawlFolders, photos_dir: Path, database: Database, encoder: Encoder
) -> None:
    paths = fill(photos_dir, 30)
    for number in (0, 7, 8, 29):
        paths[number].write_bytes(paths[number].read_bytes()[:300])
    paths[15].write_bytes(b"")
    paths[16].write_bytes(b"not a picture at all")
    summary = crawl(photos_dir)
    assert (summary.files, summary.encoded, summary.failed) == (30, 24, 6)
    recorded = files.failures(database.connection)
    damaged = [0, 7, 8, 15, 16, 29]
    assert [failure.path for failure in recorded] == [os.fsencode(paths[n]) for n in damaged]
    assert all(failure.reason for failure in recorded)
    assert recorded[3].reason == "the file is empty"
    where = space(database, encoder)
    for name, image_id in rows(database).items():
        if image_id is not None:
            stored = vectors.get(database.connection, where, image_id)
            assert stored is not None
            assert float(stored @ vector_of(photos_dir / name, encoder)) > 0.999


def test_a_copy_is_the_same_picture(
    crawl: CrawlFolders, photos_dir: Path, database: Database
) -> None:
    fill(photos_dir, 3)
    shutil.copy(photos_dir / "0000.jpg", photos_dir / "copy.jpg")
    summary = crawl(photos_dir)
    assert (summary.files, summary.pictures, summary.encoded) == (4, 3, 3)
    assert rows(database)["copy.jpg"] == rows(database)["0000.jpg"]


def test_two_files_of_one_name_are_two_pictures(crawl: CrawlFolders, photos_dir: Path) -> None:
    fill(photos_dir / "left", 1, first_seed=1)
    fill(photos_dir / "right", 1, first_seed=2)
    assert crawl(photos_dir).pictures == 2


def test_another_model_reads_the_pictures_again_and_keeps_the_old_vectors(
    crawl: CrawlFolders, photos_dir: Path, database: Database, settings: Settings, tmp_path: Path
) -> None:
    fill(photos_dir, 3)
    crawl(photos_dir)
    other = tmp_path / "model"
    shutil.copytree(Path(__file__).parent.parent / "models" / "starter", other)
    config = (other / "config.json").read_text(encoding="utf-8")
    (other / "config.json").write_text(config.replace("starter-lite2", "other"), encoding="utf-8")
    summary = Crawl(settings, database, load_encoder(str(other))).run([os.fsencode(photos_dir)])
    assert (summary.encoded, summary.indexed) == (3, 3)
    known = spaces.spaces(database.connection)
    assert len(known) == 2
    counted = database.connection.execute(
        "SELECT count(*) FROM vectors GROUP BY space_id"
    ).fetchall()
    assert counted == [(3,), (3,)]


def test_originals_are_left_as_they_are(crawl: CrawlFolders, photos_dir: Path) -> None:
    fill(photos_dir, 5)

    def state() -> dict[str, tuple[bytes, int, int]]:
        return {
            path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
            for path in photos_dir.iterdir()
        }

    before = state()
    crawl(photos_dir)
    assert state() == before
