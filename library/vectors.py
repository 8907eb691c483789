"""The tables of spaces and vectors: one row a picture and space.

A space is what makes vectors comparable: model, revision and preprocessing. Vectors are float32,
little-endian, L2-normalised.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from library.spaces import Space

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


def get(connection: sqlite3.Connection, space: Space, image_id: int) -> Vectors | None:
    """A picture's vector (dim,), or None."""
    row = connection.execute(
        "SELECT vector FROM vectors WHERE image_id = ? AND space_id = ?", (image_id, space.id)
    ).fetchone()
    return None if row is None else np.frombuffer(row[0], _DTYPE)


def of_images(connection: sqlite3.Connection, space: Space, image_ids: Sequence[int]) -> Vectors:
    """The vectors (n, dim) of some pictures, in their order; zeros where there is none."""
    found = np.zeros((len(image_ids), space.dim), _DTYPE)
    for row, image_id in enumerate(image_ids):
        vector = get(connection, space, image_id)
        if vector is not None:
            found[row] = vector
    return found


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


def count(connection: sqlite3.Connection, space: Space, first: int, end: int) -> int:
    """How many vectors the space has with an id of `first` or above, below `end`."""
    (number,) = connection.execute(
        "SELECT count(*) FROM vectors WHERE space_id = ? AND id >= ? AND id < ?",
        (space.id, first, end),
    ).fetchone()
    return int(number)


def digest(connection: sqlite3.Connection, space: Space, last_id: int) -> tuple[int, int]:
    """How many vectors the space has with an id up to `last_id`, and the sum of their ids."""
    count, total = connection.execute(
        "SELECT count(*), coalesce(sum(id), 0) FROM vectors WHERE space_id = ? AND id <= ?",
        (space.id, last_id),
    ).fetchone()
    return int(count), int(total)


def after(connection: sqlite3.Connection, space: Space, last_id: int, limit: int) -> VectorRows:
    """The space's vectors with an id above `last_id`, at most `limit` of them."""
    return rows(
        connection,
        space,
        "space_id = ? AND vectors.id > ? ORDER BY vectors.id LIMIT ?",
        (space.id, last_id, limit),
    )


def forget(connection: sqlite3.Connection, image_ids: Iterable[int]) -> None:
    """Remove these pictures' vectors, of all spaces, inside the caller's transaction.

    What collections of the index hold of them is noted, for its owner to take out. Call it while
    the pictures' own rows are still there.
    """
    ids = [(image_id,) for image_id in image_ids]
    connection.executemany(
        """INSERT OR IGNORE INTO unwanted_vectors SELECT collection, content_hash
        FROM vectors JOIN images ON images.id = image_id
        JOIN indexed_vectors ON vector_id = vectors.id WHERE image_id = ?""",
        ids,
    )
    connection.executemany(
        """DELETE FROM indexed_vectors
        WHERE vector_id IN (SELECT id FROM vectors WHERE image_id = ?)""",
        ids,
    )
    connection.executemany("DELETE FROM vectors WHERE image_id = ?", ids)


def rows(
    connection: sqlite3.Connection, space: Space, condition: str, parameters: tuple[object, ...]
) -> VectorRows:
    """The vectors that meet a condition in SQL, which must give those of the space only."""
    found = connection.execute(
        f"""SELECT vectors.id, image_id, content_hash, vector
        FROM vectors JOIN images ON images.id = image_id WHERE {condition}""",
        parameters,
    ).fetchall()
    return VectorRows(
        tuple(row[0] for row in found),
        tuple(row[1] for row in found),
        tuple(row[2] for row in found),
        np.frombuffer(b"".join(row[3] for row in found), _DTYPE).reshape(-1, space.dim),
    )
