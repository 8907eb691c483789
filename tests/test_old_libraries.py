"""Libraries of older versions are brought up to date, and lose nothing on the way."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crawler.crawl import Crawl
from library.database import Database
from library.errors import DatabaseError
from library.migrations import MIGRATIONS
from library.settings import Settings, load_settings
from mlx_clip import Encoder
from reliability.sameness import contents
from tests.pictures import fill

PICTURES = 6


@pytest.fixture(scope="module")
def crawled(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old-library")
    fill(folder / "photos", PICTURES)
    crawl(settings_of(folder / "data"), encoder, folder / "photos")
    return folder


def settings_of(data: Path) -> Settings:
    return load_settings({"DATA_DIR": str(data), "CLIP_MODEL": "starter"})


def crawl(settings: Settings, encoder: Encoder, photos: Path) -> int:
    with closing(Database(settings.database_path)) as database:
        return Crawl(settings, database, encoder).run([os.fsencode(photos)]).encoded


def as_of(version: int, new: Path, old: Path) -> None:
    """Make the database that a version would have made: its schema, with the rows of a new one."""
    old.parent.mkdir(parents=True)
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS new", (str(new),))
        connection.execute("CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, applied REAL)")
        for migration in MIGRATIONS[:version]:
            for statement in migration.statements:
                connection.execute(statement)
            connection.execute("INSERT INTO schema_migrations VALUES (?, 0)", (migration.name,))
        tables = connection.execute(
            """SELECT name FROM sqlite_schema WHERE type = 'table'
            AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations'"""
        ).fetchall()
        for (table,) in tables:
            known = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
            columns = ", ".join(name for (name,) in known)
            connection.execute(
                f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}"
            )


def schema(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return sorted(
            connection.execute("SELECT type, name, tbl_name FROM sqlite_schema").fetchall()
        )


@pytest.mark.fault("library of an older version")
@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_library_of_every_older_version_keeps_what_was_computed(
    version: int, crawled: Path, encoder: Encoder, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path / "data")
    as_of(version, crawled / "data" / "library.sqlite", settings.database_path)
    Database(settings.database_path).close()
    assert schema(settings.database_path) == schema(crawled / "data" / "library.sqlite")
    before, after = contents(crawled / "data"), contents(settings.data_dir)
    assert after.files == before.files
    assert {h: v.tobytes() for h, v in after.vectors.items()} == {
        h: v.tobytes() for h, v in before.vectors.items()
    }
    assert crawl(settings, encoder, crawled / "photos") == 0


@pytest.mark.fault("library of an older version")
def test_a_migration_that_fails_leaves_the_library_as_it_was(crawled: Path, tmp_path: Path) -> None:
    path = tmp_path / "data" / "library.sqlite"
    as_of(1, crawled / "data" / "library.sqlite", path)
    with closing(sqlite3.connect(path)) as connection:  # in the way of the second's last statement
        connection.execute("CREATE TABLE unwanted_vectors (x)")
        connection.commit()
        before = list(connection.iterdump())
    with pytest.raises(DatabaseError, match="unwanted_vectors already exists"):
        Database(path)
    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == before
