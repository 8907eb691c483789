"""Forgetting: files that are missing, and pictures that are in no file any more."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from library import vectors
from library.files import subtree


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many files and pictures the library has forgotten."""

    files: int
    pictures: int


def forget_missing(
    connection: sqlite3.Connection, walked: Sequence[bytes], unreadable: Sequence[bytes]
) -> int:
    """Forget the missing files below some roots, except below some folders; gives how many.

    Call it in a transaction, only with roots that were walked and folders that were not seen.
    """
    spared = [subtree(folder) for folder in unreadable]
    forgotten = 0
    for root in walked:
        cursor = connection.execute(
            f"""DELETE FROM files WHERE missing_since IS NOT NULL AND path >= ? AND path < ?
            {"AND NOT (path >= ? AND path < ?)" * len(spared)}""",
            (*subtree(root), *(bound for bounds in spared for bound in bounds)),
        )
        forgotten += cursor.rowcount
    connection.execute(
        "DELETE FROM folders WHERE NOT EXISTS (SELECT 1 FROM files WHERE folder_id = folders.id)"
    )
    return forgotten


def without_files(connection: sqlite3.Connection) -> list[int]:
    """The pictures that are in no file any more, present or missing."""
    rows = connection.execute(
        "SELECT id FROM images WHERE NOT EXISTS (SELECT 1 FROM files WHERE image_id = images.id)"
    )
    return [image_id for (image_id,) in rows]


def forget_pictures(connection: sqlite3.Connection, image_ids: Sequence[int]) -> None:
    """Forget pictures that are in no file, with their vectors. Call it in a transaction."""
    vectors.forget(connection, image_ids)
    connection.executemany("DELETE FROM images WHERE id = ?", ((i,) for i in image_ids))
