"""A damaged database -> a sound one with every row that can still be read."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from library.aside import put_aside, remove
from library.database import Database

# In the order in which rows refer to each other. What the index holds is not copied: the index is
# asked for it, or made again.
_TABLES = (
    "meta",
    "roots",
    "excludes",
    "folders",
    "images",
    "files",
    "spaces",
    "vectors",
    "runs",
    "collections",
    "items",
    "item_pictures",
    "maps",
    "clusters",
    "map_points",
)
_STEP = 4_096
_FAR = 1_000_000  # where the end of a table cannot be read
# What lost its row elsewhere: the next crawl lists, reads and encodes it again.
_LOOSE = (
    "UPDATE files SET image_id = NULL WHERE image_id NOT IN (SELECT id FROM images)",
    "DELETE FROM files WHERE folder_id NOT IN (SELECT id FROM folders)",
    """DELETE FROM vectors WHERE image_id NOT IN (SELECT id FROM images)
        OR space_id NOT IN (SELECT id FROM spaces)""",
    "DELETE FROM items WHERE collection_id NOT IN (SELECT id FROM collections)",
    "DELETE FROM item_pictures WHERE item_id NOT IN (SELECT id FROM items)",
    "UPDATE maps SET collection_id = NULL WHERE collection_id NOT IN (SELECT id FROM collections)",
    "DELETE FROM maps WHERE space_id NOT IN (SELECT id FROM spaces)",
    "DELETE FROM clusters WHERE map_id NOT IN (SELECT id FROM maps)",
    "DELETE FROM map_points WHERE map_id NOT IN (SELECT id FROM maps)",
)


def salvage(path: Path) -> str:
    """Put a new database in the place of a damaged one; gives a sentence on what became of it.

    The damaged one is kept beside it. Nobody else may have it open.
    """
    partial = path.with_name(f"{path.name}.partial")
    remove(partial)
    new = Database(partial)
    rows = _copy(new, path)
    new.close()
    aside = put_aside(path, "damaged")
    partial.rename(path)
    return f"Made a new database of the {rows:,} rows that could be read; the old one is {aside}."


def _copy(new: Database, damaged: Path) -> int:
    connection = new.connection
    try:
        connection.execute("ATTACH ? AS damaged", (str(damaged),))
        connection.execute("SELECT count(*) FROM damaged.sqlite_schema")
    except sqlite3.DatabaseError:
        return 0  # not even its first page
    connection.execute("PRAGMA foreign_keys = OFF")
    # Each statement for itself: an error of the disk may end a transaction with all it did.
    rows = sum(_copy_table(connection, table) for table in _TABLES)
    for statement in _LOOSE:
        connection.execute(statement)
    connection.execute("DETACH damaged")
    return rows


def _copy_table(connection: sqlite3.Connection, table: str) -> int:
    """Copy the rows that can be read, piece by piece where a piece cannot."""
    columns = ", ".join(
        name for _, name, *_ in connection.execute(f"PRAGMA damaged.table_info({table})")
    )
    if not columns:  # made by an older version
        return 0
    copy = f"INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {columns} FROM damaged.{table}"
    if table in ("meta", "excludes"):  # small, or without row ids
        return _try(connection, copy) or 0
    return sum(
        _copy_range(connection, f"{copy} NOT INDEXED WHERE rowid >= ? AND rowid < ?", *piece)
        for piece in _pieces(connection, table)
    )


def _pieces(connection: sqlite3.Connection, table: str) -> Iterator[tuple[int, int]]:
    """Ranges of row ids that cover a table; its end is known from the sequence, or looked for."""
    last = _last(connection, table)
    return ((first, first + _STEP) for first in range(0, last + 1, _STEP))


def _last(connection: sqlite3.Connection, table: str) -> int:
    for query in (
        f"SELECT max(rowid) FROM damaged.{table} NOT INDEXED",
        f"SELECT seq FROM damaged.sqlite_sequence WHERE name = '{table}'",
    ):
        with contextlib.suppress(sqlite3.DatabaseError):
            row = connection.execute(query).fetchone()
            if row and row[0] is not None:
                return int(row[0])
    return _FAR


def _copy_range(connection: sqlite3.Connection, copy: str, first: int, end: int) -> int:
    copied = _try(connection, copy, first, end)
    if copied is not None:
        return copied
    if end - first == 1:
        return 0
    middle = (first + end) // 2
    return _copy_range(connection, copy, first, middle) + _copy_range(connection, copy, middle, end)


def _try(connection: sqlite3.Connection, copy: str, *bounds: int) -> int | None:
    """How many rows a statement copied, or None, and then it copied none."""
    try:
        return connection.execute(copy, bounds).rowcount
    except sqlite3.DatabaseError:
        return None
