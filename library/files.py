"""The tables of files, folders and roots: what lies where, and what could not be read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from library.models import Failure, FileEntry, Folder, PictureFile, Work

FailureKind = Literal["unreadable", "undecodable"]

_PAGE = 1_000


def subtree(root: bytes) -> tuple[bytes, bytes]:
    """The half-open range of the paths below a folder: b"/" and the byte after it bound them."""
    prefix = root.rstrip(b"/")
    return prefix + b"/", prefix + b"0"


def remember_roots(connection: sqlite3.Connection, roots: Iterable[bytes]) -> None:
    """Add folders to those that the library was made from."""
    connection.executemany(
        "INSERT OR IGNORE INTO roots (path) VALUES (?)", ((root,) for root in roots)
    )


def roots(connection: sqlite3.Connection) -> list[bytes]:
    """The folders that the library was made from."""
    return [path for (path,) in connection.execute("SELECT path FROM roots ORDER BY path")]


def apply_list(
    connection: sqlite3.Connection,
    entries: Iterable[FileEntry],
    walked: Sequence[bytes],
    unreadable: Sequence[bytes],
    now: float,
) -> None:
    """Bring the table of files in line with a file list, inside the caller's transaction.

    New files are added; changed ones (size or mtime) lose what was known of their content;
    seen again, a missing one is present. Below the `walked` roots, files that the list does not
    name become missing since `now` (Unix time), except below the `unreadable` folders, where
    nobody could look.
    """
    connection.execute(
        """CREATE TEMP TABLE listed (
            path BLOB PRIMARY KEY, folder BLOB, size INTEGER, mtime_ns INTEGER
        ) WITHOUT ROWID"""
    )
    try:
        connection.executemany(
            "INSERT OR REPLACE INTO listed VALUES (?, ?, ?, ?)",
            ((e.path, os.path.dirname(e.path), e.size, e.mtime_ns) for e in entries),
        )
        connection.execute(
            "INSERT OR IGNORE INTO folders (path) SELECT DISTINCT folder FROM listed"
        )
        connection.execute(
            """INSERT INTO files (path, folder_id, size, mtime_ns)
            SELECT listed.path, folders.id, size, mtime_ns
            FROM listed JOIN folders ON folders.path = listed.folder
            WHERE true ORDER BY listed.path
            ON CONFLICT (path) DO UPDATE SET
                missing_since = NULL,
                image_id = iif(size = excluded.size AND mtime_ns = excluded.mtime_ns,
                               image_id, NULL),
                failure = iif(size = excluded.size AND mtime_ns = excluded.mtime_ns,
                              failure, NULL),
                failure_kind = iif(size = excluded.size AND mtime_ns = excluded.mtime_ns,
                                   failure_kind, NULL),
                size = excluded.size,
                mtime_ns = excluded.mtime_ns
            WHERE missing_since IS NOT NULL
                OR size != excluded.size OR mtime_ns != excluded.mtime_ns"""
        )
        spared = [subtree(folder) for folder in unreadable]
        for root in walked:
            connection.execute(
                f"""UPDATE files SET missing_since = ?
                WHERE path >= ? AND path < ? AND missing_since IS NULL
                AND NOT EXISTS (SELECT 1 FROM listed WHERE listed.path = files.path)
                {"AND NOT (path >= ? AND path < ?)" * len(spared)}""",
                (now, *subtree(root), *(bound for bounds in spared for bound in bounds)),
            )
            # What the disk refused last time may be readable now; a broken picture stays broken.
            connection.execute(
                """UPDATE files SET failure = NULL, failure_kind = NULL
                WHERE path >= ? AND path < ? AND failure_kind = 'unreadable'""",
                subtree(root),
            )
    finally:
        connection.execute("DROP TABLE listed")


_WORK = """
    FROM files LEFT JOIN vectors
        ON vectors.image_id = files.image_id AND vectors.space_id = :space
    WHERE files.path >= :first AND files.path < :end AND files.path > :after
        AND files.missing_since IS NULL AND files.failure IS NULL AND vectors.id IS NULL
"""


def work(connection: sqlite3.Connection, space_id: int, roots: Sequence[bytes]) -> Iterator[Work]:
    """The files below `roots` that have to be read for a space, in the order of their paths.

    Derived, never stored: a file whose content is unknown, or whose picture has no vector there.
    """
    for root in roots:
        first, end = subtree(root)
        after = b""
        while True:
            page = connection.execute(
                f"""SELECT files.id, files.path, files.size, files.mtime_ns {_WORK}
                ORDER BY files.path LIMIT {_PAGE}""",
                {"space": space_id, "first": first, "end": end, "after": after},
            ).fetchall()
            for row in page:
                yield Work(*row)
            if len(page) < _PAGE:
                break
            after = page[-1][1]


def count_work(connection: sqlite3.Connection, space_id: int, roots: Sequence[bytes]) -> int:
    """How many files `work` would give."""
    total = 0
    for root in roots:
        first, end = subtree(root)
        (count,) = connection.execute(
            f"SELECT count(*) {_WORK}",
            {"space": space_id, "first": first, "end": end, "after": b""},
        ).fetchone()
        total += count
    return total


def set_content(
    connection: sqlite3.Connection, work: Work, image_id: int, size: int, mtime_ns: int
) -> None:
    """Record which picture a file holds, and the size and mtime it had when it was read."""
    connection.execute(
        """UPDATE files SET image_id = ?, size = ?, mtime_ns = ?, failure = NULL,
        failure_kind = NULL WHERE id = ?""",
        (image_id, size, mtime_ns, work.file_id),
    )


def set_failure(connection: sqlite3.Connection, work: Work, reason: str, kind: FailureKind) -> None:
    """Record that a file could not be read, and why."""
    connection.execute(
        "UPDATE files SET image_id = NULL, failure = ?, failure_kind = ? WHERE id = ?",
        (reason, kind, work.file_id),
    )


def failures(connection: sqlite3.Connection) -> list[Failure]:
    """Every present file that could not be read, in the order of the paths."""
    rows = connection.execute(
        """SELECT path, failure FROM files
        WHERE failure IS NOT NULL AND missing_since IS NULL ORDER BY path"""
    )
    return [Failure(*row) for row in rows]


def of_image(connection: sqlite3.Connection, image_id: int) -> tuple[PictureFile, ...]:
    """A picture's files, present ones first."""
    rows = connection.execute(
        """SELECT id, folder_id, path, size, mtime_ns, missing_since FROM files
        WHERE image_id = ? ORDER BY missing_since IS NOT NULL, id""",
        (image_id,),
    )
    return tuple(PictureFile(*row) for row in rows)


def folder(connection: sqlite3.Connection, folder_id: int) -> Folder | None:
    """A folder and how many present pictures lie directly in it, or None."""
    row = connection.execute(
        """SELECT id, path, (SELECT count(DISTINCT image_id) FROM files
            WHERE folder_id = folders.id AND missing_since IS NULL)
        FROM folders WHERE id = ?""",
        (folder_id,),
    ).fetchone()
    return Folder(*row) if row else None
