"""`--rehash` and `--retry`: files are read again though their size and mtime are the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crawler.crawl import Crawl, Options
from library import files, images
from library.database import Database
from library.models import Progress
from library.settings import Settings
from mlx_clip import Encoder
from tests.conftest import CrawlFolders
from tests.crawled import rows, touch_later
from tests.pictures import drawing, fill

REHASH = Options(rehash=True)


def overwrite(path: Path, data: bytes) -> None:
    """Write without a trace: same size, same mtime."""
    info = path.stat()
    path.write_bytes(data.ljust(info.st_size, b"\0")[: info.st_size])
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def test_what_changed_silently_is_found_and_the_rest_costs_no_encoding(
    crawl: CrawlFolders, photos_dir: Path, database: Database, tmp_path: Path
) -> None:
    paths = fill(photos_dir, 6)
    paths[5].write_bytes(b"no picture")
    crawl(photos_dir)
    before = rows(database)
    paths[2].write_bytes(paths[2].read_bytes())  # the same content, at another time
    drawing(70).save(tmp_path / "other.jpg", quality=5)
    overwrite(paths[0], (tmp_path / "other.jpg").read_bytes())
    overwrite(paths[1], b"\xff\xd8 bits that have rotted")
    assert crawl(photos_dir).altered == ()
    assert rows(database) == before
    checked = crawl(photos_dir, options=REHASH)
    assert checked.altered == tuple(os.fsencode(path) for path in paths[:2])
    assert (checked.encoded, checked.failed, checked.skipped) == (1, 2, 0)
    after = rows(database)
    assert after["0000.jpg"] not in (None, before["0000.jpg"])
    assert after["0001.jpg"] is None
    assert [after[f"000{n}.jpg"] for n in (2, 3, 4)] == [before[f"000{n}.jpg"] for n in (2, 3, 4)]
    assert crawl(photos_dir).skipped == 6


def test_a_file_that_changes_openly_while_it_is_checked_is_not_suspected(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder, crawl: CrawlFolders
) -> None:
    (path,) = fill(photos_dir, 1)
    crawl(photos_dir)

    def change(progress: Progress) -> None:
        if progress.stage == "scan":
            drawing(99).save(path)
            touch_later(path)

    checked = Crawl(settings, database, encoder, change).run([os.fsencode(photos_dir)], REHASH)
    assert (checked.altered, checked.encoded) == ((), 1)


def test_a_check_that_was_cut_off_goes_on_and_pictures_stay_meanwhile(
    photos_dir: Path,
    settings: Settings,
    database: Database,
    encoder: Encoder,
    crawl: CrawlFolders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crawler.pipeline._LARGEST_BATCH", 10)
    fill(photos_dir, 60)
    crawl(photos_dir)
    seen: list[Progress] = []

    def some() -> bool:
        return any(p.stage == "read" and p.done for p in seen)

    cut_off = Crawl(settings, database, encoder, seen.append, some)
    first = cut_off.run([os.fsencode(photos_dir)], REHASH)
    assert first.interrupted
    left = "SELECT count(*) FROM files WHERE unchecked"
    (unchecked,) = database.connection.execute(left).fetchone()
    assert 0 < unchecked < 60
    details = [images.present(database.connection, [i]) for i in rows(database).values() if i]
    assert all(details) and len(details) == 60
    again = crawl(photos_dir, options=REHASH)
    assert again.continued
    assert again.skipped == 60 - unchecked
    assert database.connection.execute(left).fetchone() == (0,)


def test_a_run_is_continued_only_by_one_that_was_asked_the_same(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder, crawl: CrawlFolders
) -> None:
    fill(photos_dir, 3)
    root = [os.fsencode(photos_dir)]

    def cut_off(options: Options) -> None:
        seen: list[Progress] = []

        def some() -> bool:
            return any(progress.done for progress in seen)

        cancelled = Crawl(settings, database, encoder, seen.append, some)
        assert cancelled.run(root, options).interrupted

    for options in (REHASH, Options(retry=True), Options(prune=True)):
        cut_off(options)
        assert not crawl(photos_dir).continued
    for options in (REHASH, Options(exclude=(b"0001.jpg",))):
        cut_off(Options())
        assert not crawl(photos_dir, options=options).continued
    cut_off(Options())
    assert crawl(photos_dir).continued


def test_a_damaged_file_is_tried_again_when_that_is_asked(
    crawl: CrawlFolders, photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    paths = fill(photos_dir, 2)
    whole = paths[0].read_bytes()
    overwrite(paths[0], b"x")
    crawl(photos_dir)
    overwrite(paths[0], whole)
    assert crawl(photos_dir).failed == 1
    retried = crawl(photos_dir, options=Options(retry=True))
    assert (retried.failed, retried.encoded, retried.skipped) == (0, 1, 1)
    assert files.failures(database.connection) == []
