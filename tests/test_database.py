"""The database file: migrations, transactions, threads."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from library.database import Database
from library.errors import DatabaseError, SchemaTooNewError
from library.migrations import MIGRATIONS


def test_opening_twice_applies_each_migration_once(tmp_path: Path) -> None:
    for _ in range(2):
        database = Database(tmp_path / "library.sqlite")
        names = database.connection.execute("SELECT name FROM schema_migrations").fetchall()
        database.close()
        assert names == [(migration.name,) for migration in MIGRATIONS]


def test_it_is_in_wal_mode_with_foreign_keys(database: Database) -> None:
    assert database.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.fault("library of a newer version")
def test_a_newer_schema_is_refused_and_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    Database(path).close()
    raw = sqlite3.connect(path)
    raw.execute("INSERT INTO schema_migrations VALUES ('999_from_the_future', 0)")
    raw.commit()
    before = list(raw.iterdump())
    raw.close()
    with pytest.raises(SchemaTooNewError, match="999_from_the_future"):
        Database(path)
    raw = sqlite3.connect(path)
    assert list(raw.iterdump()) == before
    raw.close()


def test_a_file_that_is_no_database_is_refused_and_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    path.write_bytes(b"this is a diary, not a database" * 100)
    with pytest.raises(DatabaseError, match=r"library\.sqlite"):
        Database(path)
    assert path.read_bytes().startswith(b"this is a diary")


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as connection:
        connection.execute("INSERT INTO roots (path) VALUES (x'41')")
        raise RuntimeError
    assert database.connection.execute("SELECT count(*) FROM roots").fetchone() == (0,)


def test_each_thread_has_its_own_connection(database: Database) -> None:
    connections = [database.connection, database.connection]
    thread = threading.Thread(target=lambda: connections.append(database.connection))
    thread.start()
    thread.join()
    assert connections[0] is connections[1]
    assert connections[0] is not connections[2]
