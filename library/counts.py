"""The library in numbers."""

from __future__ import annotations

import sqlite3

from library.models import Counts
from library.spaces import Space


def count(connection: sqlite3.Connection, space: Space) -> Counts:
    """Count files, pictures, vectors of a space, and how many of them are recorded as indexed."""
    files, failed, missing, pictures = connection.execute(
        """SELECT
            count(*) FILTER (WHERE missing_since IS NULL),
            count(*) FILTER (WHERE missing_since IS NULL AND failure IS NOT NULL),
            count(*) FILTER (WHERE missing_since IS NOT NULL),
            count(DISTINCT iif(missing_since IS NULL, image_id, NULL))
        FROM files"""
    ).fetchone()
    (vectors,) = connection.execute(
        "SELECT count(*) FROM vectors WHERE space_id = ?", (space.id,)
    ).fetchone()
    (indexed,) = connection.execute(
        """SELECT count(*) FROM indexed_vectors JOIN vectors ON vectors.id = vector_id
        WHERE space_id = ?""",
        (space.id,),
    ).fetchone()
    return Counts(
        files, pictures, present_encoded(connection, space), failed, missing, vectors, indexed
    )


def present_encoded(connection: sqlite3.Connection, space: Space) -> int:
    """How many pictures have both a present file and a vector: as many as a search can rank."""
    (count,) = connection.execute(
        """SELECT count(DISTINCT files.image_id) FROM files
        JOIN vectors ON vectors.image_id = files.image_id AND space_id = ?
        WHERE missing_since IS NULL""",
        (space.id,),
    ).fetchone()
    return int(count)


def pictures(connection: sqlite3.Connection) -> int:
    """How many pictures have a present file."""
    (count,) = connection.execute(
        "SELECT count(DISTINCT image_id) FROM files WHERE missing_since IS NULL"
    ).fetchone()
    return int(count)
