"""The tables of vectors: one row a picture and space, and which of them the index holds.

A space is what makes vectors comparable: model, revision and preprocessing. Vectors are float32,
little-endian, L2-normalised.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from library.spaces import Space as Space
from library.spaces import space as space
from library.spaces import spaces as spaces

Vectors = NDArray[np.float32]

_DTYPE = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class VectorRows:
    """Vectors in the order of their ids: `vectors` is (n, dim) float32."""

    ids: tuple[int, ...]
    image_ids: tuple[int, ...]
    content_hashes: tuple[bytes, ...]
    vectors: Vectors


def add(connection: sqlite3.Connection, space: Space, image_id: int, vector: Vectors) -> None:
    """Store a picture's vector (dim,); a picture that has one keeps it."""
    connection.execute(
        "INSERT OR IGNORE INTO vectors (space_id, image_id, vector) VALUES (?, ?, ?)",
        (space.id, image_id, vector.astype(_DTYPE).tobytes()),
    )


def forget(connection: sqlite3.Connection, image_ids: Iterable[int]) -> None:
    """Remove these pictures' vectors, of all spaces, and note what the index holds of them.

    Call it in a transaction, while the pictures' own rows are still there.
    """
    ids = [(image_id,) for image_id in image_ids]
    connection.executemany(
        """INSERT OR IGNORE INTO unwanted_vectors
        SELECT collection, content_hash FROM vectors
        JOIN indexed_vectors ON vector_id = vectors.id JOIN images ON images.id = image_id
        WHERE image_id = ?""",
        ids,
    )
    connection.executemany(
        """DELETE FROM indexed_vectors
        WHERE vector_id IN (SELECT id FROM vectors WHERE image_id = ?)""",
        ids,
    )
    connection.executemany("DELETE FROM vectors WHERE image_id = ?", ids)


def get(connection: sqlite3.Connection, space: Space, image_id: int) -> Vectors | None:
    """A picture's vector (dim,), or None."""
    row = connection.execute(
        "SELECT vector FROM vectors WHERE image_id = ? AND space_id = ?", (image_id, space.id)
    ).fetchone()
    return None if row is None else np.frombuffer(row[0], _DTYPE)


def exists(connection: sqlite3.Connection, space: Space, content_hash: bytes) -> bool:
    """Whether the picture with this content has a vector in the space."""
    row = connection.execute(
        """SELECT 1 FROM images JOIN vectors ON vectors.image_id = images.id
        WHERE content_hash = ? AND space_id = ?""",
        (content_hash, space.id),
    ).fetchone()
    return row is not None


def newest(connection: sqlite3.Connection, space: Space) -> int:
    """The id of the space's newest vector, or 0."""
    (newest_id,) = connection.execute(
        "SELECT coalesce(max(id), 0) FROM vectors WHERE space_id = ?", (space.id,)
    ).fetchone()
    return int(newest_id)


def after(connection: sqlite3.Connection, space: Space, last_id: int, limit: int) -> VectorRows:
    """The space's vectors with an id above `last_id`, at most `limit` of them."""
    return _rows(
        connection.execute(
            """SELECT vectors.id, image_id, content_hash, vector
            FROM vectors JOIN images ON images.id = image_id
            WHERE space_id = ? AND vectors.id > ? ORDER BY vectors.id LIMIT ?""",
            (space.id, last_id, limit),
        ).fetchall(),
        space,
    )


def unindexed(
    connection: sqlite3.Connection, space: Space, collection: str, limit: int
) -> VectorRows:
    """The oldest vectors of the space that a collection does not hold."""
    return _rows(
        connection.execute(
            f"""SELECT vectors.id, image_id, content_hash, vector
            {_UNINDEXED} ORDER BY vectors.id LIMIT ?""",
            (collection, space.id, limit),
        ).fetchall(),
        space,
    )


def count_unindexed(connection: sqlite3.Connection, space: Space, collection: str) -> int:
    """How many vectors of the space a collection does not hold."""
    (count,) = connection.execute(
        f"SELECT count(*) {_UNINDEXED}", (collection, space.id)
    ).fetchone()
    return int(count)


_UNINDEXED = """
    FROM vectors JOIN images ON images.id = image_id
    LEFT JOIN indexed_vectors ON vector_id = vectors.id AND collection = ?
    WHERE space_id = ? AND vector_id IS NULL
"""


def set_indexed(connection: sqlite3.Connection, collection: str, ids: Iterable[int]) -> None:
    """Record that a collection holds these vectors. Call it after the collection took them."""
    connection.executemany(
        "INSERT OR IGNORE INTO indexed_vectors VALUES (?, ?)", ((collection, i) for i in ids)
    )


def sample_indexed(
    connection: sqlite3.Connection, space: Space, collection: str, limit: int
) -> VectorRows:
    """Some vectors that a collection should hold, drawn at random."""
    return _rows(
        connection.execute(
            """SELECT vectors.id, image_id, content_hash, vector FROM vectors
            JOIN images ON images.id = image_id
            WHERE space_id = ? AND vectors.id IN (
                SELECT vector_id FROM indexed_vectors WHERE collection = ?
                ORDER BY random() LIMIT ?)""",
            (space.id, collection, limit),
        ).fetchall(),
        space,
    )


def count_indexed(connection: sqlite3.Connection, collection: str) -> int:
    """How many vectors a collection should hold."""
    (count,) = connection.execute(
        "SELECT count(*) FROM indexed_vectors WHERE collection = ?", (collection,)
    ).fetchone()
    return int(count)


def newest_indexed(connection: sqlite3.Connection, collection: str) -> int:
    """The highest id of the vectors that a collection holds, or 0."""
    (newest_id,) = connection.execute(
        "SELECT coalesce(max(vector_id), 0) FROM indexed_vectors WHERE collection = ?",
        (collection,),
    ).fetchone()
    return int(newest_id)


def forget_other_collections(connection: sqlite3.Connection, space: Space, keep: str) -> None:
    """Drop what is recorded of the space's former collections, which are no more."""
    connection.execute(
        """DELETE FROM indexed_vectors WHERE collection != ?
        AND vector_id IN (SELECT id FROM vectors WHERE space_id = ?)""",
        (keep, space.id),
    )


def _rows(rows: list[tuple[int, int, bytes, bytes]], space: Space) -> VectorRows:
    matrix = np.frombuffer(b"".join(row[3] for row in rows), _DTYPE).reshape(-1, space.dim)
    return VectorRows(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        tuple(row[2] for row in rows),
        matrix,
    )
