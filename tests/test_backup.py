"""Backup and restore: what was computed is not lost, whatever becomes of the library's folder."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crawler.crawl import Crawl
from library import backup, counts, images, meta, vectors
from library.__main__ import main
from library.alone import alone
from library.database import Database
from library.errors import CrawlBusyError, DatabaseError, SchemaTooNewError, StorageError
from library.settings import Settings, load_settings
from mlx_clip import Encoder
from tests.pictures import fill

PICTURES = 8


@pytest.fixture(scope="module")
def crawled(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("to-back-up")
    fill(folder / "photos", PICTURES)
    crawl(settings_of(folder / "data"), folder / "photos", encoder)
    return folder


@pytest.fixture
def settings(crawled: Path, tmp_path: Path) -> Settings:
    shutil.copytree(crawled / "data", tmp_path / "data")
    return settings_of(tmp_path / "data")


def settings_of(data: Path) -> Settings:
    return load_settings({"DATA_DIR": str(data), "CLIP_MODEL": "starter"})


def crawl(settings: Settings, photos: Path, encoder: Encoder) -> int:
    """How many pictures it had to encode."""
    with closing(Database(settings.database_path)) as database:
        return Crawl(settings, database, encoder).run([os.fsencode(photos)]).encoded


def contents(path: Path) -> list[tuple[object, ...]]:
    """Every file with its picture's vector."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            """SELECT path, content_hash, vector FROM files
            JOIN images ON images.id = files.image_id
            JOIN vectors ON vectors.image_id = images.id ORDER BY path"""
        ).fetchall()


def library_id(settings: Settings) -> str:
    with closing(Database(settings.database_path)) as database:
        return meta.library_id(database.connection)


@pytest.mark.fault("library lost, restored from its backup")
def test_a_lost_library_comes_back_whole(
    settings: Settings, crawled: Path, encoder: Encoder, tmp_path: Path
) -> None:
    before = contents(settings.database_path)
    assert len(before) == PICTURES
    copy = backup.back_up(settings, tmp_path / "copy.sqlite")
    shutil.rmtree(settings.data_dir)
    assert backup.restore(settings, copy) is None
    assert contents(settings.database_path) == before
    assert crawl(settings, crawled / "photos", encoder) == 0
    with closing(Database(settings.database_path)) as database:
        space = meta.space(database.connection)
        assert space is not None
        assert counts.count(database.connection, space).indexed == PICTURES


def test_what_it_was_before_is_kept_and_what_browsers_keep_is_not_believed(
    settings: Settings, tmp_path: Path
) -> None:
    copy = backup.back_up(settings, tmp_path)
    before = library_id(settings)
    with closing(Database(settings.database_path)) as database:
        database.connection.execute("DELETE FROM indexed_vectors")
        database.connection.execute("DELETE FROM vectors")
    aside = backup.restore(settings, copy)
    assert aside is not None
    assert contents(aside) == []
    assert len(contents(settings.database_path)) == PICTURES
    assert library_id(settings) != before
    assert not (settings.data_dir / "chroma").exists()


def test_a_backup_is_of_one_moment_while_rows_are_written(
    settings: Settings, tmp_path: Path
) -> None:
    with closing(Database(settings.database_path)) as database:
        for copy in while_it_is_written_to(settings, database, tmp_path):
            with closing(sqlite3.connect(copy)) as connection:
                pictures = connection.execute("SELECT count(*) FROM images").fetchone()
                known = connection.execute("SELECT count(*) FROM vectors").fetchone()
            assert pictures == known


def while_it_is_written_to(settings: Settings, database: Database, folder: Path) -> Iterator[Path]:
    """Backups that are made while another thread adds a picture and its vector at a time."""
    ended = threading.Event()
    space = meta.space(database.connection)
    assert space is not None

    def write() -> None:
        one = images.get(database.connection, 1)
        vector = vectors.get(database.connection, space, 1)
        assert one is not None
        assert vector is not None
        while not ended.is_set():
            with database.transaction() as connection:
                image_id = images.add(connection, os.urandom(16), one.metadata)
                vectors.add(connection, space, image_id, vector)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            yield backup.back_up(settings, folder / f"{number}.sqlite")
    finally:
        ended.set()
        writer.join()


@pytest.mark.parametrize("what", ["nothing", "garbage", "another database", "damaged", "newer"])
def test_what_is_no_sound_backup_is_refused_and_nothing_changes(
    settings: Settings, tmp_path: Path, what: str
) -> None:
    copy = backup.back_up(settings, tmp_path / "copy.sqlite")
    if what == "nothing":
        copy.unlink()
    elif what == "garbage":
        copy.write_bytes(os.urandom(50_000))
    elif what == "another database":
        copy.unlink()
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("CREATE TABLE recipes (cake TEXT)")
    elif what == "damaged":
        damage(copy)
    else:
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("INSERT INTO schema_migrations VALUES ('999_flying', 0)")
            connection.commit()
    before = contents(settings.database_path)
    with pytest.raises(SchemaTooNewError if what == "newer" else DatabaseError):
        backup.restore(settings, copy)
    assert contents(settings.database_path) == before
    assert not list(settings.data_dir.glob("*.partial*"))
    assert not list(settings.data_dir.glob("*before-restore*"))


def damage(path: Path) -> None:
    """Overwrite a page of the vectors."""
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'vectors'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def test_nothing_is_written_over(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"the only one")
    with pytest.raises(StorageError, match="there already"):
        backup.back_up(settings, tmp_path / "photo.jpg")
    assert (tmp_path / "photo.jpg").read_bytes() == b"the only one"


@pytest.mark.fault("disk full")
def test_without_room_it_is_one_sentence_and_no_half_copy_is_left(
    settings: Settings, tmp_path: Path
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
    try:
        with pytest.raises((DatabaseError, StorageError), match=r"copy\.sqlite"):
            backup.back_up(settings, tmp_path / "copy.sqlite")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.glob("copy.sqlite*"))


def test_a_library_in_use_is_not_replaced(settings: Settings, tmp_path: Path) -> None:
    copy = backup.back_up(settings, tmp_path)
    with alone(settings.data_dir), pytest.raises(CrawlBusyError):
        backup.restore(settings, copy)


def test_the_commands(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(settings.data_dir)]
    assert main(["backup", *data]) == 0
    (copy,) = (settings.data_dir / "backups").iterdir()
    assert str(copy) in capsys.readouterr().out
    assert main(["restore", str(copy), *data]) == 0
    assert "before-restore" in capsys.readouterr().out
    assert main(["restore", str(settings.data_dir / "none"), *data]) == 2
    assert "is not there" in capsys.readouterr().err
