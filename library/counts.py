"""The library in numbers. Every query is answered from indexes alone, whatever its size."""

from __future__ import annotations

import sqlite3

from library.files import subtree
from library.models import Counts, RootCounts
from library.spaces import Space


def count(connection: sqlite3.Connection, space: Space) -> Counts:
    """Count files, pictures, vectors of a space, and how many of them are recorded as indexed."""
    files, missing, failed = _files(connection, "true")
    return Counts(
        files,
        pictures(connection),
        present_encoded(connection, space),
        failed,
        missing,
        vectors(connection, space),
        indexed(connection, space),
    )


def count_root(connection: sqlite3.Connection, root: bytes) -> RootCounts:
    """Count the files below a folder."""
    return RootCounts(root, *_files(connection, "path >= ? AND path < ?", *subtree(root)))


def pictures(connection: sqlite3.Connection) -> int:
    """How many pictures have a present file."""
    return _one(
        connection, "SELECT count(DISTINCT image_id) FROM files WHERE missing_since IS NULL"
    )


def present_encoded(connection: sqlite3.Connection, space: Space) -> int:
    """How many pictures have both a present file and a vector: as many as a search can rank."""
    # The plus keeps SQLite from the index by space, which does not know a vector's picture.
    return _one(
        connection,
        """SELECT count(*) FROM vectors WHERE +space_id = ? AND EXISTS (
            SELECT 1 FROM files
            WHERE files.image_id = vectors.image_id AND missing_since IS NULL)""",
        space.id,
    )


def vectors(connection: sqlite3.Connection, space: Space) -> int:
    """How many vectors a space has, those of missing pictures included."""
    return _one(connection, "SELECT count(*) FROM vectors WHERE space_id = ?", space.id)


def indexed(connection: sqlite3.Connection, space: Space) -> int:
    """How many vectors of a space are recorded as pushed into the index."""
    # A collection holds vectors of one space, so one of them tells which: joining all takes long.
    return _one(
        connection,
        """SELECT coalesce(sum(held), 0) FROM (
            SELECT count(*) AS held, min(vector_id) AS one
            FROM indexed_vectors GROUP BY collection)
        JOIN vectors ON vectors.id = one WHERE space_id = ?""",
        space.id,
    )


def _files(connection: sqlite3.Connection, within: str, *paths: bytes) -> tuple[int, int, int]:
    """Present, missing and failed files of which a condition holds."""
    known = _one(connection, f"SELECT count(*) FROM files WHERE {within}", *paths)
    missing = _one(
        connection,
        f"SELECT count(*) FROM files WHERE missing_since IS NOT NULL AND {within}",
        *paths,
    )
    failed = _one(
        connection,
        f"""SELECT count(*) FROM files
        WHERE failure IS NOT NULL AND missing_since IS NULL AND {within}""",
        *paths,
    )
    return known - missing, missing, failed


def _one(connection: sqlite3.Connection, query: str, *parameters: object) -> int:
    (number,) = connection.execute(query, parameters).fetchone()
    return int(number)
