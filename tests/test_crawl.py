"""The crawl, end to end: pictures on disk to rows, vectors and an index."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from crawler.crawl import Crawl
from crawler.read import Decoded, Known, Reader, Vanished
from library import files, images, runs, vectors
from library.crawl_lock import crawling_process
from library.database import Database
from library.errors import CrawlBusyError
from library.index import VectorIndex
from library.models import Progress, Work
from library.settings import Settings
from library.thumbnails import Thumbnails
from library.vectors import Space
from mlx_clip import Encoder
from tests.conftest import CrawlFolders
from tests.pictures import drawing, fill


def space(database: Database, encoder: Encoder) -> Space:
    return vectors.space(database.connection, encoder.space, encoder.dim)


def vector_of(path: Path, encoder: Encoder) -> vectors.Vectors:
    """A picture's vector, by a full decode of its own."""
    with Image.open(path) as opened:
        (vector,) = encoder.encode_images(encoder.preprocess(opened.convert("RGB"))[None])
    return np.asarray(vector)


def rows(database: Database) -> dict[str, int | None]:
    """Present files and the picture each holds."""
    found = database.connection.execute(
        "SELECT path, image_id FROM files WHERE missing_since IS NULL ORDER BY path"
    )
    return {os.path.basename(os.fsdecode(path)): image_id for path, image_id in found}


def touch_later(path: Path) -> None:
    """Move a file's mtime on, as a later write would, whatever the disk's resolution."""
    info = path.stat()
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns + 1_000_000_000))


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


def test_a_second_run_has_nothing_to_do(crawl: CrawlFolders, photos_dir: Path) -> None:
    fill(photos_dir, 5)
    crawl(photos_dir)
    summary = crawl(photos_dir)
    assert (summary.files, summary.encoded, summary.skipped, summary.indexed) == (5, 0, 5, 5)


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
        if progress.stage == "read" and photos_dir.exists():
            photos_dir.rename(unplugged)

    half = Crawl(settings, database, encoder, unplug).run([os.fsencode(photos_dir)])
    assert 0 < half.encoded < 80
    assert (half.missing, half.failed) == (0, 0)
    unplugged.rename(photos_dir)
    whole = crawl(photos_dir)
    assert (whole.pictures, whole.encoded) == (80, 80 - half.encoded)


def test_below_an_unreadable_folder_nothing_goes_missing(
    database: Database, photos_dir: Path
) -> None:
    from library.models import FileEntry

    root = b"/photos"
    entries = [FileEntry(b"/photos/a.jpg", 1, 1), FileEntry(b"/photos/locked/b.jpg", 1, 1)]
    with database.transaction() as connection:
        files.apply_list(connection, entries, [root], [], 1.0)
    with database.transaction() as connection:
        files.apply_list(connection, entries[:1], [root], [b"/photos/locked"], 2.0)
    missing = "SELECT count(*) FROM files WHERE missing_since IS NOT NULL"
    assert database.connection.execute(missing).fetchone() == (0,)
    with database.transaction() as connection:
        files.apply_list(connection, entries[:1], [root], [], 3.0)
    assert database.connection.execute(missing).fetchone() == (1,)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")
def test_any_name_works(crawl: CrawlFolders, photos_dir: Path, database: Database) -> None:
    (source,) = fill(photos_dir, 1)
    odd = [b"\xff\xfe.jpg", b"new\nline.jpg", b"'\"<b>.jpg", b"n" * 251 + b".jpg", b"\xcc\x81e.jpg"]
    for number, name in enumerate(odd):
        drawing(100 + number).save(source)
        os.link(source, os.path.join(os.fsencode(photos_dir), name))
        source.unlink()
    assert crawl(photos_dir).pictures == len(odd)
    paths = database.connection.execute("SELECT path FROM files").fetchall()
    assert {os.path.basename(path) for (path,) in paths} == set(odd)


def test_another_model_reads_the_pictures_again_and_keeps_the_old_vectors(
    crawl: CrawlFolders, photos_dir: Path, database: Database, settings: Settings, tmp_path: Path
) -> None:
    from mlx_clip import load_encoder

    fill(photos_dir, 3)
    crawl(photos_dir)
    other = tmp_path / "model"
    shutil.copytree(Path(__file__).parent.parent / "models" / "starter", other)
    config = (other / "config.json").read_text(encoding="utf-8")
    (other / "config.json").write_text(config.replace("starter-lite2", "other"), encoding="utf-8")
    summary = Crawl(settings, database, load_encoder(str(other))).run([os.fsencode(photos_dir)])
    assert (summary.encoded, summary.indexed) == (3, 3)
    spaces = vectors.spaces(database.connection)
    assert len(spaces) == 2
    counted = database.connection.execute(
        "SELECT count(*) FROM vectors GROUP BY space_id"
    ).fetchall()
    assert counted == [(3,), (3,)]


def test_a_cancelled_crawl_keeps_what_it_did_and_the_next_goes_on(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder, crawl: CrawlFolders
) -> None:
    fill(photos_dir, 60)
    seen: list[Progress] = []
    first = Crawl(
        settings,
        database,
        encoder,
        report=seen.append,
        cancelled=lambda: any(p.stage == "read" and p.done >= 16 for p in seen),
    ).run([os.fsencode(photos_dir)])
    assert first.interrupted
    assert 16 <= first.encoded < 60
    drawing(500).save(photos_dir / "later.jpg")
    second = crawl(photos_dir)
    assert second.continued
    assert second.encoded == 60 - first.encoded
    third = crawl(photos_dir)
    assert not third.continued
    assert third.encoded == 1


def test_a_list_is_applied_once_however_often_its_run_is_continued(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder, crawl: CrawlFolders
) -> None:
    paths = fill(photos_dir, 40)
    root = [os.fsencode(photos_dir)]
    seen: list[Progress] = []

    def listed() -> bool:
        run = runs.cut_off(database.connection)
        return run is not None and run.listed

    def half_read() -> bool:
        return any(p.stage == "read" and p.done >= 16 for p in seen)

    Crawl(settings, database, encoder, cancelled=listed).run(root)
    drawing(900).save(paths[0])  # is read as it is now, not as the list has it
    touch_later(paths[0])
    Crawl(settings, database, encoder, seen.append, half_read).run(root)
    assert rows(database)["0000.jpg"] is not None
    left = sum(image_id is None for image_id in rows(database).values())
    assert crawl(photos_dir).skipped == 40 - left


def test_progress_goes_from_nothing_to_everything(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    fill(photos_dir, 20)
    (photos_dir / "broken.jpg").write_bytes(b"x")
    seen: list[Progress] = []
    Crawl(settings, database, encoder, seen.append).run([os.fsencode(photos_dir)])
    last = {progress.stage: progress for progress in seen}
    assert list(last) == ["scan", "read", "index"]
    assert last["scan"].done == 21
    assert (last["read"].done, last["read"].total, last["read"].failed) == (21, 21, 1)
    assert (last["index"].done, last["index"].total) == (20, 20)
    assert last["read"].seconds_left == 0


def test_two_crawls_at_once_are_refused(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    fill(photos_dir, 2)
    root = [os.fsencode(photos_dir)]
    refused: list[str] = []

    def crawl_inside(progress: Progress) -> None:
        try:
            Crawl(settings, database, encoder).run(root)
        except CrawlBusyError as error:
            refused.append(str(error))

    Crawl(settings, database, encoder, crawl_inside).run(root)
    assert refused
    assert str(settings.data_dir) in refused[0]


def test_others_see_which_process_is_crawling(
    photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    fill(photos_dir, 2)
    seen: list[int | None] = []

    def look(progress: Progress) -> None:
        seen.append(crawling_process(settings.data_dir))

    Crawl(settings, database, encoder, look).run([os.fsencode(photos_dir)])
    assert set(seen) == {os.getpid()}
    assert crawling_process(settings.data_dir) is None
    killed = subprocess.Popen(["true"])
    killed.wait()
    (settings.data_dir / "crawl.open").write_text(str(killed.pid), encoding="ascii")
    assert crawling_process(settings.data_dir) is None


def test_beside_another_owner_of_the_index_it_fills_the_database(
    crawl: CrawlFolders, photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    fill(photos_dir, 3)
    crawl(photos_dir)
    index = VectorIndex(settings.data_dir, database, space(database, encoder), "the site")
    drawing(50).save(photos_dir / "new.jpg")
    beside = crawl(photos_dir)
    assert (beside.encoded, beside.indexed) == (1, 3)
    assert beside.index_note and "the site" in beside.index_note
    assert index.push() == 1
    index.close()
    assert crawl(photos_dir).indexed == 4


def test_with_nothing_to_do_the_index_is_not_even_opened(
    crawl: CrawlFolders, photos_dir: Path, settings: Settings, database: Database, encoder: Encoder
) -> None:
    fill(photos_dir, 3)
    crawl(photos_dir)
    # Held, but not yet opened: there is no mark, as while its owner is starting.
    with FileLock(settings.data_dir / "chroma.lock"):
        assert crawl(photos_dir).index_note is None


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
