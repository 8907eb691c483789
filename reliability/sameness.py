"""What a library holds, compared with what an uninterrupted run made of the same pictures."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from library import spaces, vectors
from library.database import Database
from library.index import VectorIndex

_NEAREST = 10
_ASKED = 400


@dataclass(frozen=True)
class Contents:
    """A library: its files by path, vectors by content hash, thumbnails by name."""

    files: dict[bytes, tuple[object, ...]]
    """Size, mtime, content hash and metadata of each file."""
    vectors: dict[bytes, NDArray[np.float32]]
    thumbnails: dict[str, bytes]


def contents(data: Path) -> Contents:
    """All of a library. Raises AssertionError when it is damaged or holds anything twice."""
    with closing(sqlite3.connect(data / "library.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        files = connection.execute(
            """SELECT path, files.size, mtime_ns, missing_since, failure, content_hash, width,
            height, format, frames, byte_size, colour FROM files
            LEFT JOIN images ON images.id = image_id"""
        ).fetchall()
        pictures = connection.execute(
            "SELECT content_hash, vector FROM images LEFT JOIN vectors ON image_id = images.id"
        ).fetchall()
    found = Contents(
        {row[0]: row[1:] for row in files},
        {row[0]: np.frombuffer(row[1], np.float32) for row in pictures},
        {path.name: path.read_bytes() for path in data.glob("thumbnails/*/*.jpg")},
    )
    assert (len(found.files), len(found.vectors)) == (len(files), len(pictures))
    return found


def assert_same(data: Path, expected: Contents) -> None:
    """Whether a library is what it should be, and its index answers like an exact scan."""
    found = contents(data)
    assert found.files == expected.files
    assert found.thumbnails == expected.thumbnails
    assert found.vectors.keys() == expected.vectors.keys()
    for content_hash, vector in expected.vectors.items():
        # The last bits depend on the batch that a picture happened to be in.
        np.testing.assert_allclose(found.vectors[content_hash], vector, atol=1e-5)
    assert not (data / "chroma.open").exists()
    _assert_index_answers(data)


def _assert_index_answers(data: Path) -> None:
    with closing(Database(data / "library.sqlite")) as database:
        (space,) = spaces.spaces(database.connection)
        with closing(VectorIndex(data, database, space, "a comparison")) as index:
            rows = vectors.after(database.connection, space, 0, 1_000_000)
            assert not index.was_damaged
            assert index.missing() == 0
            assert index.count() == len(rows.ids)
            for row in range(0, len(rows.ids), max(1, len(rows.ids) // _ASKED)):
                exact = -np.sort(-(rows.vectors @ rows.vectors[row]))[:_NEAREST]
                hits = index.query(rows.vectors[row], _NEAREST)
                assert rows.content_hashes[row] in [found for found, _ in hits]
                np.testing.assert_allclose([score for _, score in hits], exact, atol=1e-4)
