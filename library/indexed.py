"""The records of what the index holds: which vectors lie in which collection.

A collection is named by its own UUID: a directory that was deleted and made again has others, so
nothing stale is ever believed. A vector lies in one collection at most.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from library.spaces import Space

if TYPE_CHECKING:
    from library.vectors import VectorRows

_NO_END = 2**63 - 1  # of SQLite's integers
_LACKING = """space_id = ? AND NOT EXISTS (
    SELECT 1 FROM indexed_vectors WHERE vector_id = vectors.id)"""


def first_lacking(connection: sqlite3.Connection, space: Space, after: int) -> int | None:
    """The oldest vector with an id above `after` that no collection holds, or None."""
    row = connection.execute(
        f"SELECT id FROM vectors WHERE {_LACKING} AND id > ? ORDER BY id LIMIT 1", (space.id, after)
    ).fetchone()
    return None if row is None else int(row[0])


def lacking(
    connection: sqlite3.Connection, space: Space, first: int, end: int, limit: int
) -> VectorRows:
    """The oldest vectors with an id of `first` or above, below `end`, that no collection holds."""
    from library import vectors  # which NumPy takes long to load for: a look need not pay

    return vectors.rows(
        connection,
        space,
        f"{_LACKING} AND vectors.id >= ? AND vectors.id < ? ORDER BY vectors.id LIMIT ?",
        (space.id, first, end, limit),
    )


def count_lacking(
    connection: sqlite3.Connection, space: Space, first: int, end: int = _NO_END
) -> int:
    """How many vectors with an id of `first` or above, below `end`, no collection holds."""
    (count,) = connection.execute(
        f"SELECT count(*) FROM vectors WHERE {_LACKING} AND id >= ? AND id < ?",
        (space.id, first, end),
    ).fetchone()
    return int(count)


def record(connection: sqlite3.Connection, collection: str, rows: VectorRows) -> None:
    """Record that a collection holds these vectors. Call it after the collection took them.

    What was forgotten meanwhile is noted as unwanted there.
    """
    connection.executemany(
        "INSERT OR IGNORE INTO indexed_vectors SELECT ?, id FROM vectors WHERE id = ?",
        ((collection, vector_id) for vector_id in rows.ids),
    )
    connection.executemany(
        """INSERT OR IGNORE INTO unwanted_vectors SELECT ?, ?
        WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE id = ?)""",
        (
            (collection, content_hash, vector_id)
            for vector_id, content_hash in zip(rows.ids, rows.content_hashes, strict=True)
        ),
    )


def count(connection: sqlite3.Connection, collection: str) -> int:
    """How many vectors a collection should hold, those that are unwanted left out."""
    (count,) = connection.execute(
        "SELECT count(*) FROM indexed_vectors WHERE collection = ?", (collection,)
    ).fetchone()
    return int(count)


def held(connection: sqlite3.Connection, space: Space, collection: str, limit: int) -> VectorRows:
    """The oldest vectors, at most `limit`, that a collection is recorded to hold."""
    from library import vectors  # which NumPy takes long to load for: a look need not pay

    return vectors.rows(
        connection,
        space,
        """vectors.id IN (SELECT vector_id FROM indexed_vectors WHERE collection = ?
            ORDER BY vector_id LIMIT ?) ORDER BY vectors.id""",
        (collection, limit),
    )


def move(connection: sqlite3.Connection, source: str, target: str, rows: VectorRows) -> None:
    """Record that what one collection held lies in another now, which took it already."""
    connection.executemany(
        "DELETE FROM indexed_vectors WHERE collection = ? AND vector_id = ?",
        ((source, vector_id) for vector_id in rows.ids),
    )
    record(connection, target, rows)


def sample(connection: sqlite3.Connection, space: Space, collection: str, limit: int) -> VectorRows:
    """Some vectors that a collection should hold, drawn at random."""
    from library import vectors  # which NumPy takes long to load for: a look need not pay

    return vectors.rows(
        connection,
        space,
        """vectors.id IN (SELECT vector_id FROM indexed_vectors WHERE collection = ?
            ORDER BY random() LIMIT ?)""",
        (collection, limit),
    )


def unwanted(connection: sqlite3.Connection, collection: str, limit: int) -> list[bytes]:
    """Contents in a collection, at most `limit`, that were forgotten."""
    found = connection.execute(
        "SELECT content_hash FROM unwanted_vectors WHERE collection = ? LIMIT ?",
        (collection, limit),
    )
    return [content_hash for (content_hash,) in found]


def count_unwanted(connection: sqlite3.Connection, collection: str | None = None) -> int:
    """How many forgotten contents a collection, or all of them, may still hold."""
    (count,) = connection.execute(
        "SELECT count(*) FROM unwanted_vectors WHERE collection = coalesce(?, collection)",
        (collection,),
    ).fetchone()
    return int(count)


def set_removed(
    connection: sqlite3.Connection, collection: str, content_hashes: Sequence[bytes]
) -> None:
    """Record that a collection holds these contents no more, whatever was recorded before.

    A picture that came back meanwhile is so added again.
    """
    pairs = [(collection, content_hash) for content_hash in content_hashes]
    connection.executemany(
        """DELETE FROM indexed_vectors WHERE collection = ? AND vector_id IN (
            SELECT vectors.id FROM vectors JOIN images ON images.id = image_id
            WHERE content_hash = ?)""",
        pairs,
    )
    connection.executemany(
        "DELETE FROM unwanted_vectors WHERE collection = ? AND content_hash = ?", pairs
    )


def collections(connection: sqlite3.Connection) -> set[str]:
    """Every collection of which anything is recorded."""
    # One look for each, not for each of its rows: https://www.sqlite.org/lang_with.html
    each = """SELECT name FROM (
        WITH RECURSIVE each (name) AS (
            SELECT min(collection) FROM {table} UNION ALL
            SELECT (SELECT min(collection) FROM {table} WHERE collection > name) FROM each
            WHERE name IS NOT NULL)
        SELECT name FROM each WHERE name IS NOT NULL)"""
    tables = ("indexed_vectors", "unwanted_vectors")
    found = connection.execute(" UNION ".join(each.format(table=table) for table in tables))
    return {name for (name,) in found}


def forget_collections(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Drop what is recorded of collections that are no more."""
    for name in names:
        connection.execute("DELETE FROM indexed_vectors WHERE collection = ?", (name,))
        connection.execute("DELETE FROM unwanted_vectors WHERE collection = ?", (name,))
